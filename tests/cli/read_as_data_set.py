"""Reads an output folder as users of PyArrow, DuckDB and Hugging Face would, and prints which ids each finds.

Arguments: the folder, `parquet` or `jsonl`, the pattern that DuckDB is given below the folder, a folder for caches.
"""

import json
import sys

import datasets
import duckdb
import pyarrow.dataset

folder, form, pattern, cache = sys.argv[1:]
datasets.disable_progress_bars()

arrow = pyarrow.dataset.dataset(folder, format={"jsonl": "json"}.get(form, form), partitioning="hive")
reader = {"jsonl": "read_json_auto", "parquet": "read_parquet"}[form]
duck = duckdb.sql(f"SELECT id FROM {reader}('{folder}/{pattern}', hive_partitioning = true)")
face = datasets.load_dataset(folder, split="train", cache_dir=cache)

json.dump(
    {
        "pyarrow": arrow.to_table(columns=["id"])["id"].to_pylist(),
        "duckdb": [row[0] for row in duck.fetchall()],
        "datasets": face["id"][:],
    },
    sys.stdout,
)
