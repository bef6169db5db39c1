"""Deduplication with rensa, in memory: 16 bands of 8, five words a shingle, and of candidates those that their
signatures say are alike at .8.

usage: python3 rensa_minhash.py CORPUS OUT

OUT/dropped/part.jsonl names for each document that is dropped the one that is kept.
"""

import json
import os
import re
import sys

from rensa import RMinHash, RMinHashLSH

THRESHOLD = 0.8
PERMUTATIONS = 128
# A character of Chinese or Japanese, or a word.
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


def signature(text):
    tokens = TOKEN.findall(text.lower())
    shingles = [" ".join(tokens[at : at + 5]) for at in range(max(1, len(tokens) - 4))]
    minhash = RMinHash(num_perm=PERMUTATIONS, seed=7)
    minhash.update(shingles)
    return minhash


def main():
    corpus, out = sys.argv[1:]
    for name in ("kept", "dropped"):
        os.makedirs(os.path.join(out, name), exist_ok=True)
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=16)
    ids, signatures = [], []
    with (
        open(corpus) as lines,
        open(os.path.join(out, "kept", "part.jsonl"), "w") as kept,
        open(os.path.join(out, "dropped", "part.jsonl"), "w") as dropped,
    ):
        for line in lines:
            document = json.loads(line)
            own = signature(document["text"])
            alike = (at for at in sorted(index.query(own)) if signatures[at].jaccard(own) >= THRESHOLD)
            twin = next(alike, None)
            if twin is None:
                index.insert(len(ids), own)
                ids.append(document["id"])
                signatures.append(own)
                kept.write(line)
            else:
                dropped.write(json.dumps({"id": document["id"], "metadata": {"duplicate_of": ids[twin]}}) + "\n")


if __name__ == "__main__":
    main()
