"""Tamis: cleans large scraped collections, with pipelines in TOML.

`run`, `check` and `plan` are the commands of that name; `launch` runs a pipeline in shards, on threads, Ray or Spark.
`extract` is the clean text of one page, `Pipeline` the stages of a pipeline in this process. `filter`, `extractor` and
`serve` make stages of Python functions.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tamis._launch import launch
    from tamis._pipeline import Pipeline, extract
    from tamis._run import Error, check, plan, run
    from tamis._serve import serve
    from tamis._stage import Document, extractor, filter

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

_MODULES = {
    "Document": "_stage",
    "Error": "_run",
    "Pipeline": "_pipeline",
    "check": "_run",
    "extract": "_pipeline",
    "extractor": "_stage",
    "filter": "_stage",
    "launch": "_launch",
    "plan": "_run",
    "run": "_run",
    "serve": "_serve",
}


def __getattr__(name: str):
    # Each task of a launch, and each worker of a stage, is a Python of its own, and needs little of all this.
    if name not in _MODULES:
        raise AttributeError(f"module 'tamis' has no attribute {name!r}")
    return getattr(importlib.import_module(f"tamis.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
