"""Makes what `cargo xtask train boilerplate` learns from and measures on.

usage: make_training.py EVAL SITES TAMIS FOLDER     (needs lxml)

EVAL holds `flattened/dev.jsonl` and `html/SET.dev.jsonl.gz`; SITES is a file of flattened pages of whole sites, JSON
lines of `id`, `site`, `lang`, `raw`, `gold_body`; TAMIS is the program. Run it from the root of the repository.
Writes to FOLDER `pages.jsonl`, lines of {"id", "set", "family", "lang", "raw", "gold_body"}, and `documents.jsonl`, the
same pages as they come to the stage: through `config/flattened.toml` up to `boilerplate`.

`set` says what a line is for, and what is left out with it:
  pages:NAME    a page of a set, flattened in one of three ways; `pages:flattened` came flattened
  sites:PACKAGE a page of a whole site, of each site at most MAX_OF_SITE
  clean:NAME    what a person kept of a page of a set, as a page of its own: nothing of it is to go
  partly:NAME   a page of which only some lines around the text are left: little of it is to go
  markdown:NAME what `html-extract` makes of a page as Markdown: nothing of it is to go
  scraped:flattened
                a page that came flattened, before any stage: as it is, and without blank lines
  taught:NAME   a page of a set that nobody has cleaned: `html-extract` says what its text is, where it is sure, that is,
                where it takes nearly the same whether it is to miss nothing or to take nothing too much
What is chosen is chosen by the MD5 of the id, so the same data gives the same lines.
"""

import collections
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys

WAYS = ["raw", "raw_js", "compact"]
MAX_SCRIPT_CHARS = 2_000
# A shorter gold teaches little, a longer page costs more than it teaches.
MIN_GOLD_CHARS = 200
MAX_PAGE_CHARS = 60_000
MAX_OF_SITE = 25
MARKDOWN = ["aeb", "magic_article", "magic_forum", "readability", "cwced", "wcxb_dev"]
TAUGHT = ["traf", "htmldate"]
# So much of what a cautious and a greedy teacher take must be the same (F1 of runs of five characters).
MIN_AGREEMENT = 0.95
# Of the largest set every third page is flattened; its bodies are all taken.
EVERY = {"wcxb_more": 3}


def number(key):
    return int(hashlib.md5(key.encode()).hexdigest()[:8], 16)


def flatten(html, way):
    from lxml import etree, html as H
    tree = H.fromstring(html)
    etree.strip_elements(tree, "style", etree.Comment, etree.ProcessingInstruction, with_tail=False)
    for script in list(tree.iter("script")):
        if way != "raw_js" or len(script.text_content()) > MAX_SCRIPT_CHARS:
            script.drop_tree()
    pieces = list(tree.itertext())
    if way == "compact":
        return "\n".join(re.sub(r"\s+", " ", p).strip() for p in pieces if p.strip())
    return "".join(pieces)


def host(url):
    found = re.match(r"https?://(?:www\.)?([^/:]+)", url or "")
    return found.group(1) if found else "unknown"


def clean(page, name):
    """The body alone: as it is, and in one of the shapes in which bodies come."""
    body, key = page["gold_body"].strip(), number(page["id"])
    shapes = [
        lambda: re.sub(r"\n+", "\n\n", body),
        lambda: re.sub(r"\n+", " " if page["lang"] not in ("zh", "ja") else "", body),
        lambda: (page.get("title") or body.split("\n")[0][:60]) + "\n\n" + body,
        lambda: re.sub(r"(?m)^[\s#>*`\-|]+", "", body),
    ]
    for suffix, text in (("", body), (":shape", shapes[key % len(shapes)]())):
        line = {**page, "id": f"clean:{page['id']}{suffix}", "set": f"clean:{name}", "raw": text, "gold_body": text}
        yield line


def partly(page, name):
    """The page with a few lines of what stands around its body, found by the body's first and last lines."""
    lines = page["raw"].split("\n")
    squeeze = lambda text: re.sub(r"\s+", "", text)
    gold = [squeeze(line) for line in page["gold_body"].split("\n") if len(squeeze(line)) > 15]
    if not gold:
        return
    seen = [squeeze(line) for line in lines]
    first = next((i for i, line in enumerate(seen) if line and gold[0][:40] in line), None)
    last = next((i for i in range(len(seen) - 1, -1, -1) if seen[i] and gold[-1][-40:] in seen[i]), None)
    if first is None or last is None or last < first:
        return
    full = [i for i, line in enumerate(seen) if line]
    before = [i for i in full if i < first]
    after = [i for i in full if i > last]
    key = number(page["id"] + "partly")
    n_before, n_after = [0, 0, 1, 2, 4, 8][key % 6], [0, 1, 2, 4, 8, 16][key // 6 % 6]
    if not (before[len(before) - n_before:] if n_before else []) and not after[:n_after]:
        return
    start = before[max(0, len(before) - n_before)] if n_before and before else first
    end = after[min(len(after), n_after) - 1] if n_after and after else last
    yield {**page, "id": f"partly:{page['id']}", "set": f"partly:{name}", "raw": "\n".join(lines[start:end + 1])}


def pages(evaluation, sites):
    for line in open(evaluation / "flattened" / "dev.jsonl", encoding="utf8"):
        page = json.loads(line)
        keep = {key: page[key] for key in ("id", "family", "lang", "raw", "gold_body")}
        yield "flattened", {**keep, "title": page.get("gold_title")}
    for path in sorted((evaluation / "html").glob("*.dev.jsonl.gz")):
        name = path.name.split(".")[0]
        for line in gzip.open(path, "rt", encoding="utf8"):
            page = json.loads(line)
            body = page.get("text") or ""
            if len(body) < 100:
                continue
            key = number(page["id"])
            raw = None
            if len(body) >= MIN_GOLD_CHARS and key % EVERY.get(name, 1) == 0:
                try:
                    raw = flatten(page["html"].encode("utf8", "ignore").decode(), WAYS[key % 3])
                except (ValueError, AssertionError):
                    raw = None
            if raw is not None and len(raw) > MAX_PAGE_CHARS:
                raw = None
            lang = page["lang"] or "en"
            yield name, {"id": page["id"], "family": host(page["url"]), "lang": lang[:2] if lang != "other" else lang, "raw": raw, "gold_body": body, "title": page.get("title")}
    count = {}
    for line in open(sites, encoding="utf8"):
        page = json.loads(line)
        site = page["site"]
        count[site] = count.get(site, 0) + 1
        if count[site] <= (60 if site.endswith("/en") and "handbook" not in site and "guide" not in site else MAX_OF_SITE) and len(page["raw"]) <= MAX_PAGE_CHARS:
            keep = {key: page[key] for key in ("id", "lang", "raw", "gold_body")}
            yield "sites/" + site, {**keep, "family": site, "title": None}


def run(tamis, folder, name, stages, source, fields, metadata):
    """Runs stages over a file of JSON lines, and yields what comes out."""
    pipeline = folder / f"{name}.toml"
    paths = f"paths = [{json.dumps(str(source))}]"
    head = f'[[source]]\nuse = "jsonl"\n{paths}\nfields = {fields}\nmetadata = {metadata}\n'
    pipeline.write_text(head + stages + f'\n[[export]]\nuse = "jsonl"\npath = {json.dumps(str(folder / name))}\n')
    subprocess.run([tamis, "run", pipeline, "--quiet", "--fresh"], check=True)
    for path in sorted((folder / name).glob("part-*.jsonl")):
        with open(path, encoding="utf8") as lines:
            yield from map(json.loads, lines)


def markdown(evaluation, tamis, folder):
    stage = '[[stage]]\nuse = "html-extract"\noutput = "markdown"\n'
    for name in MARKDOWN:
        source = evaluation / "html" / f"{name}.dev.jsonl.gz"
        for page in run(tamis, folder, f"markdown-{name}", stage, source.absolute(), '{ id = "id", text = "html" }', '["url", "lang"]'):
            text, meta = page["text"], page["metadata"]
            if 100 <= len(text) <= MAX_PAGE_CHARS:
                line = {"id": f"markdown:{page['id']}", "set": f"markdown:{name}", "family": host(meta.get("url")), "lang": meta.get("lang") or "en"}
                yield {**line, "raw": text, "gold_body": text}


def shingles(text):
    text = re.sub(r"\s+", "", text)
    return collections.Counter(text[at:at + 5] for at in range(max(1, len(text) - 4)))


def agreement(one, other):
    one, other = shingles(one), shingles(other)
    return 2 * sum((one & other).values()) / max(1, sum(one.values()) + sum(other.values()))


def taught(evaluation, tamis, folder):
    """Pages without gold, as `html-extract` sees them, where it is sure."""
    stage = '[[stage]]\nuse = "html-extract"\nfavour = "FAVOUR"\n'
    for name in TAUGHT:
        source = evaluation / "html" / f"{name}.dev.jsonl.gz"
        texts = {}
        for favour in ("precision", "recall", "balance"):
            came = run(tamis, folder, f"taught-{name}-{favour}", stage.replace("FAVOUR", favour), source.absolute(), '{ id = "id", text = "html" }', "[]")
            for page in came:
                texts.setdefault(page["id"], {})[favour] = page["text"]
        for line in gzip.open(source, "rt", encoding="utf8"):
            page = json.loads(line)
            text = texts.get(page["id"], {})
            body = text.get("balance", "")
            if len(text) < 3 or len(body) < MIN_GOLD_CHARS or agreement(text["precision"], text["recall"]) < MIN_AGREEMENT:
                continue
            try:
                raw = flatten(page["html"].encode("utf8", "ignore").decode(), WAYS[number(page["id"]) % 3])
            except (ValueError, AssertionError):
                continue
            if len(raw) <= MAX_PAGE_CHARS:
                yield {"id": f"taught:{page['id']}", "set": f"taught:{name}", "family": host(page["url"]), "lang": "other", "raw": raw, "gold_body": body}


def scraped(page):
    for name, raw in (("as", page["raw"]), ("tight", re.sub(r"\n\s*\n+", "\n", page["raw"]))):
        yield {**page, "id": f"scraped:{name}:{page['id']}", "set": "scraped:flattened", "raw": raw}


def lines_of(evaluation, sites):
    for name, page in pages(evaluation, sites):
        package = name.split("/")[1] if name.startswith("sites/") else None
        if page["raw"]:
            yield {**page, "set": f"sites:{package}" if package else f"pages:{name}"}
            yield from partly(page, package or name)
            if name == "flattened":
                yield from scraped(page)
        if not package or number(page["id"]) % 3 == 0:
            yield from clean(page, package or name)


def main(evaluation, sites, tamis, folder):
    evaluation, folder = pathlib.Path(evaluation), pathlib.Path(folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    keys = ("id", "set", "family", "lang", "raw", "gold_body")
    lines = [{key: line[key] for key in keys} for line in lines_of(evaluation, sites)]
    lines += markdown(evaluation, tamis, folder)
    lines += taught(evaluation, tamis, folder)
    # In no order that means anything, so that the first pages of a set are as good as any others.
    lines.sort(key=lambda line: number(line["id"]))
    with open(folder / "pages.jsonl", "w", encoding="utf8") as out:
        out.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    text = pathlib.Path("config/flattened.toml").read_text(encoding="utf8")
    before = text[text.index("[[stage]]"):text.index('[[stage]]\nuse = "boilerplate"')]
    before = before.replace('"sites/', f'"{pathlib.Path("config/sites").absolute()}/')
    documents = run(tamis, folder, "documents", before, folder / "pages.jsonl", '{ id = "id", text = "raw", raw = "-" }', "[]")
    with open(folder / "documents.jsonl", "w", encoding="utf8") as out:
        for page in documents:
            # The pages that were scraped are to come as they are.
            if not page["id"].startswith("scraped:"):
                out.write(json.dumps(page, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
