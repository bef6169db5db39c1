"""The first document of each text, one thread, white space not folded: duckdb_distinct.py INPUT OUTPUT."""
import sys

import duckdb

source, target = sys.argv[1:3]
connection = duckdb.connect()
connection.execute("SET threads = 1")
connection.execute(
    f"COPY (SELECT DISTINCT ON (text) * FROM read_json(?, format = 'newline_delimited',"
    f" maximum_object_size = 67108864)) TO '{target}' (FORMAT json)",
    [source],
)
