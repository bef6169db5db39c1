"""Gopher, C4 and FineWeb with the filters of datatrove, JSONL to JSONL: datatrove_judge.py INPUT OUTPUT [plain].

With `plain` everything is done but filtering: what differs is what the filters take.
"""
import json
import sys

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

C4 = {"split_paragraph": True, "filter_curly_bracket": True}
filters = [
    GopherRepetitionFilter(),
    GopherQualityFilter(),
    C4QualityFilter(**C4),
    C4QualityFilter(**C4, filter_no_terminal_punct=False),
    FineWebQualityFilter(),
]
# Tokenizers are loaded when they are first asked for.
for one in filters:
    one.filter(Document(text="The mill stands by the river. Its wheel turned.", id="0"))


def is_good(text, key):
    """Whether every filter keeps a text; those of C4 change it, and the others shall not see that."""
    for one in filters:
        if one.filter(Document(text=text, id=key)) is not True:
            return False
    return True


plain = sys.argv[3:] == ["plain"]
with open(sys.argv[1], encoding="utf-8") as lines, open(sys.argv[2], "w", encoding="utf-8") as output:
    for line in lines:
        record = json.loads(line)
        if plain or is_good(record["text"], record["id"]):
            output.write(json.dumps(record, ensure_ascii=False) + "\n")
