"""A pipeline in this process."""

from __future__ import annotations

import functools
import json
import os
from typing import Any, Optional, Union

from tamis import _native
from tamis._program import script


class Pipeline:
    """The stages of a pipeline, for documents at hand; sources and exports are not used, and need not be there.

    `Pipeline("pipeline.toml")` reads a file, `Pipeline(text=...)` the text of one, whose paths are relative to `folder`.
    A mistake in it is a `ValueError` that says where it is and what to do.
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]", None] = None,
        *,
        text: Optional[str] = None,
        folder: Union[str, "os.PathLike[str]", None] = None,
    ):
        folder = os.getcwd() if folder is None else os.fspath(folder)
        self._native = _native.Pipeline(path, text=text, folder=folder, program=script())

    @property
    def stages(self) -> list[str]:
        """The ids of the stages, in order."""
        return self._native.stages

    def process(self, documents: Any) -> Any:
        """Puts documents through the stages and returns what became of each, in order.

        A list of dicts with `text`, and `id`, `metadata` and `form` (`markup`, `flattened`, `clean`) if there are any,
        gives a list of dicts with `id`, `text`, `metadata`, `fate` (`kept`, `dropped`, `failed`), `stage`, `reason` and
        `measures`. A record batch, or what else has `__arrow_c_array__`, gives one with the same columns but the measures; a
        table, or what else has `__arrow_c_stream__`, gives a list of them, one for each of its batches.

        A corpus stage judges among the documents of one call.
        """
        if hasattr(documents, "__arrow_c_array__"):
            return self._native.process_arrow(documents)
        if hasattr(documents, "__arrow_c_stream__"):
            return self._native.process_stream(documents)
        return json.loads(self._native.process_json(json.dumps(list(documents)).encode()))

    def __repr__(self) -> str:
        return f"Pipeline({' -> '.join(self.stages)})"


@functools.lru_cache(maxsize=2)
def _extraction(markdown: bool) -> Pipeline:
    return Pipeline(text=_native.extraction(markdown))


def extract(page: Union[str, bytes], *, url: Optional[str] = None, markdown: bool = False) -> dict[str, Any]:
    """The clean text of a page, as `tamis extract` gives it: a dict with `text` and `metadata` among others.

    Bytes are decoded as the page and its mark say. `url` helps to find the site and the date.
    """
    is_text = isinstance(page, str)
    body = page.encode("utf-8", "surrogatepass") if is_text else bytes(page)
    return json.loads(_extraction(markdown)._native.process_page(body, is_text, url))
