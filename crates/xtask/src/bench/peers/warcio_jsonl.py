"""WARC to JSONL with warcio: warcio_jsonl.py INPUT OUTPUT."""
import json
import sys

from warcio.archiveiterator import ArchiveIterator

with open(sys.argv[1], "rb") as source, open(sys.argv[2], "w", encoding="utf-8") as output:
    for record in ArchiveIterator(source):
        if record.rec_type != "response":
            continue
        headers = record.rec_headers
        row = {
            "id": headers.get_header("WARC-Record-ID"),
            "text": record.content_stream().read().decode("utf-8", "replace"),
            "metadata": {"url": headers.get_header("WARC-Target-URI")},
        }
        output.write(json.dumps(row, ensure_ascii=False) + "\n")
