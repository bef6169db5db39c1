"""WARC to JSONL with the reader of datatrove: datatrove_jsonl.py INPUT OUTPUT."""
import json
import os
import sys

from datatrove.pipeline.readers import WarcReader

folder, name = os.path.split(sys.argv[1])
with open(sys.argv[2], "w", encoding="utf-8") as output:
    for document in WarcReader(folder, glob_pattern=name).run():
        row = {"id": document.id, "text": document.text, "metadata": document.metadata}
        output.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
