"""JSONL to Parquet, as PyArrow does it out of the box: parquet.py INPUT OUTPUT."""
import sys

import pyarrow.json
import pyarrow.parquet

# A record must fit into a block; the default of 1 MiB is too small for long pages.
table = pyarrow.json.read_json(sys.argv[1], pyarrow.json.ReadOptions(block_size=16 << 20))
pyarrow.parquet.write_table(table, sys.argv[2], compression="zstd", compression_level=1)
