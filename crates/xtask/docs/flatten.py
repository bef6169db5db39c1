"""Flattens HTML pages with gold as scrapers do, for `cargo xtask train boilerplate --more`.

usage: flatten.py OUT.jsonl SET.jsonl.gz [SET.jsonl.gz …]      (needs beautifulsoup4 and lxml)

Lines of a set: {"id", "url", "lang", "html", "text"}, where `text` is what a person kept of the page.
Every page is flattened in two of three ways, chosen by a fixed seed: `raw`, what get_text() gives; `raw_js`, the
same with scripts of up to 2,000 characters; `compact`, one line for each piece of text.
"""

import gzip
import json
import random
import re
import sys

from bs4 import BeautifulSoup
from bs4.element import CData, Comment, Declaration, Doctype, NavigableString

WAYS = ["raw", "raw_js", "compact"]
MAX_SCRIPT_CHARS = 2_000
# A shorter gold teaches little, a longer page costs more than it teaches.
MIN_GOLD_CHARS = 200
MAX_PAGE_CHARS = 200_000


def flatten(html, way):
    soup = BeautifulSoup(html, "lxml")
    for style in soup.find_all("style"):
        style.decompose()
    for script in soup.find_all("script"):
        if way != "raw_js" or len(script.get_text()) > MAX_SCRIPT_CHARS:
            script.decompose()
    not_text = (Comment, Doctype, Declaration, CData)
    pieces = [str(piece) for piece in soup.descendants if isinstance(piece, NavigableString) and not isinstance(piece, not_text)]
    if way == "compact":
        return "\n".join(piece.strip() for piece in pieces if piece.strip())
    return "".join(pieces)


def host(url):
    found = re.match(r"https?://(?:www\.)?([^/:]+)", url or "")
    return found.group(1) if found else "unknown"


def main(out, sets):
    random.seed(7)
    with open(out, "w", encoding="utf-8") as lines:
        for path in sets:
            with gzip.open(path, "rt", encoding="utf-8") as pages:
                for page in map(json.loads, pages):
                    if len(page.get("text") or "") < MIN_GOLD_CHARS:
                        continue
                    for way in random.sample(WAYS, 2):
                        raw = flatten(page["html"], way)
                        if len(raw) <= MAX_PAGE_CHARS:
                            line = {"id": f"{page['id']}:{way}", "family": host(page["url"]), "lang": page["lang"]}
                            line |= {"raw": raw, "gold_body": page["text"]}
                            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
