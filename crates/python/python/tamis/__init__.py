"""Tamis: cleans large scraped collections, with pipelines in TOML.

`run`, `check` and `plan` are the commands of that name; `launch` runs a pipeline in shards, on threads, Ray or Spark.
`extract` is the clean text of one page, `Pipeline` the stages of a pipeline in this process. `filter`, `extractor` and
`serve` make stages of Python functions.
"""

from tamis._launch import launch
from tamis._run import Error, check, plan, run
from tamis._stage import Document, extractor, filter, serve

__all__ = [
    "Document",
    "Error",
    "Pipeline",
    "check",
    "extract",
    "extractor",
    "filter",
    "launch",
    "plan",
    "run",
    "serve",
]


def __getattr__(name: str):
    # The native half is large, and a stage that runs beside a worker needs nothing of it.
    if name in ("Pipeline", "extract"):
        from tamis import _pipeline

        return getattr(_pipeline, name)
    raise AttributeError(f"module 'tamis' has no attribute {name!r}")
