#!/usr/bin/env python3
"""Compare measures and verdicts with datatrove, document by document.

usage: with_datatrove.py MEASURES TEXT.jsonl [--language en] [--own-words] [--limit N]

MEASURES: the compiled example `measures` of this crate (`cargo build -p tamis-measures --example measures`).
TEXT.jsonl: documents with `text`. Needs: pip install datatrove spacy jieba xxhash regex nltk tldextract ftfy

Without --own-words datatrove's filters are given the words that Tamis finds, and sentences by the definition of Tamis, so that
every measure must be equal. With it datatrove finds its own, and the share of equal verdicts is what counts.
"""
import argparse, collections, json, re, subprocess, sys

parser = argparse.ArgumentParser()
parser.add_argument("measures"), parser.add_argument("texts")
parser.add_argument("--language", default="en"), parser.add_argument("--own-words", action="store_true")
parser.add_argument("--limit", type=int, default=10**9), parser.add_argument("--show", type=int, default=5)
options = parser.parse_args()

import datatrove.pipeline.filters.c4_filters as c4
import datatrove.pipeline.filters.fineweb_quality_filter as fineweb
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
from datatrove.data import Document

CLOSING = "”’\"'»›)]}）」』》〉】〕〗〙〛］｝＂＇｣"
WIDE, ANY = "。！？｡", ".!?…。！？｡"
END = re.compile(f"[{re.escape(ANY)}]+[{re.escape(CLOSING)}]*")


def sentences(line, language=None):
    found, start = [], 0
    for mark in END.finditer(line):
        if mark.group()[0] in WIDE or mark.end() == len(line) or line[mark.end()].isspace():
            found.append(line[start : mark.end()])
            start = mark.end()
    found.append(line[start:])
    return [sentence for sentence in found if sentence.strip()]


told = {}
if not options.own_words:
    for module in (fineweb, quality, repetition):
        module.split_into_words = lambda text, language: told["words"]
    c4.split_into_sentences = sentences

TAGS = {"en": "eng", "zh": "zho", "de": "deu", "fr": "fra", "ja": "jpn", "ru": "rus"}
language = TAGS.get(options.language, options.language)


def measured(text):
    """The values that datatrove compares with limits, by the names that Tamis has for them."""
    words = repetition.split_into_words(text, language)
    values = {}
    ratio = lambda one, other: one / other if other else None
    paragraphs = re.compile(r"\n{2,}").split(text.strip())
    number, chars = repetition.find_duplicates(paragraphs)
    values["dup_paragraph_ratio"], values["dup_paragraph_char_ratio"] = number / len(paragraphs), ratio(chars, len(text))
    lines = re.split("\n+", text)
    number, chars = repetition.find_duplicates(lines)
    values["dup_line_ratio"], values["dup_line_char_ratio"] = number / len(lines), ratio(chars, len(text))
    for n in (2, 3, 4):
        grams = repetition.get_n_grams(words, n)
        values[f"top_{n}_gram_char_ratio"] = ratio(repetition.find_top_duplicate(grams) if grams else 0, len(text))
    for n in range(5, 11):
        values[f"dup_{n}_gram_char_ratio"] = ratio(repetition.find_all_duplicate(words, n), len(text))
    real = [word for word in words if any(c not in quality.PUNCTUATION_SET for c in word)]
    values["words"] = len(real)
    values["mean_word_chars"] = ratio(sum(map(len, real)), len(real))
    values["hash_word_ratio"] = ratio(text.count("#"), len(words))
    values["ellipsis_word_ratio"] = ratio(text.count("...") + text.count("…"), len(words))
    lines = text.splitlines()
    values["bullet_line_ratio"] = ratio(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines))
    values["ellipsis_line_ratio"] = ratio(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines))
    values["letter_word_ratio"] = ratio(sum(any(c.isalpha() for c in word) for word in words), len(words))
    values["stop_words"] = len(set(quality.STOP_WORDS) & set(words))
    filled = [line for line in text.split("\n") if line.strip()]
    ends = tuple(fineweb.TERMINAL_PUNCTUATION)
    values["ended_line_ratio"] = ratio(sum(line.endswith(ends) for line in filled), len(filled))
    values["short_line_ratio"] = ratio(sum(len(line) <= 30 for line in filled), len(filled))
    values["repeated_line_char_ratio"] = ratio(repetition.find_duplicates(filled)[1], len(text.replace("\n", "")))
    values["line_feed_word_ratio"] = ratio(text.count("\n"), len(words))
    return values


FILTERS = {
    "gopher repetition": repetition.GopherRepetitionFilter(language=language),
    "gopher quality": quality.GopherQualityFilter(language=language),
    "fineweb": fineweb.FineWebQualityFilter(language=language),
    "c4": c4.C4QualityFilter(language=language),
    "c4 without end marks": c4.C4QualityFilter(language=language, filter_no_terminal_punct=False),
}
TOP = [(f"top_{n}_gram_char_ratio", ">", limit, f"top_{n}_gram") for n, limit in ((2, 0.2), (3, 0.18), (4, 0.16))]
DUP = [(f"dup_{n}_gram_char_ratio", ">", (20 - n) / 100, f"duplicated_{n}_n_grams") for n in range(5, 11)]
C4 = [("filler", ">", 0, "lorem_ipsum"), ("bracket", ">", 0, "curly_bracket"), ("sentences", "<", 5, "too_few_sentences")]
RULES = {
    "gopher repetition": [
        ("text_chars", "<", 1, "empty"), ("dup_paragraph_ratio", ">", 0.3, "dup_para_frac"),
        ("dup_paragraph_char_ratio", ">", 0.2, "dup_para_char_frac"), ("dup_line_ratio", ">", 0.3, "dup_line_frac"),
        ("dup_line_char_ratio", ">", 0.2, "dup_line_char_frac"), *TOP, *DUP],
    "gopher quality": [
        ("words", "<", 50, "gopher_short_doc"), ("words", ">", 100000, "gopher_long_doc"),
        ("mean_word_chars", "<", 3, "gopher_below_avg_threshold"), ("mean_word_chars", ">", 10, "gopher_above_avg_threshold"),
        ("hash_word_ratio", ">", 0.1, "gopher_too_many_hashes"), ("ellipsis_word_ratio", ">", 0.1, "gopher_too_many_ellipsis"),
        ("bullet_line_ratio", ">", 0.9, "gopher_too_many_bullets"),
        ("ellipsis_line_ratio", ">", 0.3, "gopher_too_many_end_ellipsis"),
        ("letter_word_ratio", "<", 0.8, "gopher_below_alpha_threshold"), ("stop_words", "<", 2, "gopher_enough_stop_words")],
    "fineweb": [
        ("filled_lines", "<", 1, "empty"), ("ended_line_ratio", "<", 0.12, "line_punct_ratio"),
        ("short_line_ratio", ">", 0.67, "short_line_ratio"), ("repeated_line_char_ratio", ">", 0.01, "char_dup_ratio"),
        ("line_feed_word_ratio", ">", 0.3, "list_ratio")],
    "c4": [("c4_" + name, *rest) for name, *rest in C4],
    "c4 without end marks": [("loose_c4_" + name, *rest) for name, *rest in C4],
}


def verdict(measures, rules):
    for name, sign, limit, reason in rules:
        value = measures[name]
        if value is not None and (value < limit if sign == "<" else value > limit):
            return reason
    return "keep"


def theirs(judge, text):
    try:
        result = judge.filter(Document(text=text, id="a"))
    except ZeroDivisionError:
        return "division by zero"
    return "keep" if result is True else result[1]


texts = []
for line in open(options.texts):
    texts.append(json.loads(line)["text"])
    if len(texts) == options.limit:
        break
asked = "".join(json.dumps({"text": text, "stop_words": quality.STOP_WORDS}) + "\n" for text in texts)
answers = subprocess.run([options.measures], input=asked, capture_output=True, text=True, check=True).stdout.split("\n")
unequal, n_values = collections.Counter(), 0
verdicts = {name: collections.Counter() for name in FILTERS}
shown = 0
for text, answer in zip(texts, answers):
    answer = json.loads(answer)
    told["words"], ours = answer["words"], answer["measures"]
    if not options.own_words:
        for name, value in measured(text).items():
            n_values += 1
            if (value is None) != (ours[name] is None) or (value is not None and abs(value - ours[name]) > 1e-9):
                unequal[name] += 1
                if shown < options.show:
                    shown += 1
                    print(f"unequal {name}: {ours[name]} here, {value} there: {text[:80]!r}", file=sys.stderr)
    for name, judge in FILTERS.items():
        one, other = verdict(ours, RULES[name]), theirs(judge, text)
        verdicts[name]["equal" if one == other else "both drop" if "keep" not in (one, other) else "unequal"] += 1
        if one != other and shown < options.show:
            shown += 1
            print(f"verdict of {name}: {one} here, {other} there: {text[:80]!r}", file=sys.stderr)
print(f"{len(texts)} documents; {n_values} values, unequal: {dict(unequal)}")
for name, counts in verdicts.items():
    print(f"{name}: {dict(counts)}")
