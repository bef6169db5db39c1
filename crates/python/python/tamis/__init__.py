"""Tamis from Python: stages of a pipeline that are Python functions."""

from tamis._stage import Document, extractor, filter, serve

__all__ = ["Document", "extractor", "filter", "serve"]
