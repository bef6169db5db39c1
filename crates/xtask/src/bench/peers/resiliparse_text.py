"""Main text of pages in JSON lines with Resiliparse: resiliparse_text.py INPUT OUTPUT."""
import json
import sys

from resiliparse.extract.html2text import extract_plain_text

with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w", encoding="utf-8") as output:
    for line in source:
        row = json.loads(line)
        row["text"] = extract_plain_text(row["text"], main_content=True)
        output.write(json.dumps(row, ensure_ascii=False) + "\n")
