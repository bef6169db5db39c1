"""Main text and metadata of pages in JSON lines with trafilatura: trafilatura_text.py INPUT OUTPUT."""
import json
import sys

import trafilatura

with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w", encoding="utf-8") as output:
    for line in source:
        row = json.loads(line)
        found = trafilatura.bare_extraction(row["text"], with_metadata=True)
        row["text"] = found.text if found else ""
        row["title"] = found.title if found else None
        output.write(json.dumps(row, ensure_ascii=False) + "\n")
