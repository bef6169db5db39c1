"""Python functions as stages: what a function is given, and what is answered for it."""

from __future__ import annotations

import base64
import inspect
import json
import os
import traceback
from typing import Any, Callable, Optional, Union

FLUSH_SECS = 1.0
"""A batch of slow documents is answered bit by bit, so that nobody takes the program for one that hangs."""

# Made once: `json.loads` and `json.dumps` look at their options for every document.
_DECODE = json.JSONDecoder().decode
_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Document:
    """A document of the pipeline. What is set here is set there; what is left alone stays as it is."""

    __slots__ = ("id", "text", "metadata", "raw", "_answer", "_text", "_metadata")

    def __init__(self, message: dict[str, Any], judged: bool = False):
        self.id: str = message["id"]
        """The identifier; setting it has no effect."""
        self.text: str = message["text"]
        """The text."""
        self.metadata: dict[str, Any] = message["metadata"]
        """The fields, of JSON types."""
        raw = message.get("raw")
        self.raw: Optional[bytes] = base64.b64decode(raw) if raw is not None else None
        """The bytes as scraped, if the pipeline says `raw = true` and the reader kept them."""
        if not judged:
            self._text = self.text
            self._metadata = _copied(self.metadata)
        self._answer: dict[str, Any] = {"id": self.id}

    def drop(self, reason: str) -> None:
        """Drops the document, under a reason by which drops are counted."""
        self._answer["drop"] = _text("a reason", reason)

    def split(self, text: str, metadata: Optional[dict[str, Any]] = None) -> None:
        """Splits a document off, which follows this one and inherits its metadata."""
        part = {"text": _text("the text of a part", text), "metadata": metadata or {}}
        self._answer.setdefault("split", []).append(part)

    def count(self, name: str, n: int = 1) -> None:
        """Adds to a counter of the run."""
        counts = self._answer.setdefault("counts", {})
        counts[name] = counts.get(name, 0) + n

    def _changes(self) -> dict[str, Any]:
        answer = self._answer
        if self.text != self._text:
            answer["text"] = _text("the text of a document", self.text)
        changed = self._changed_fields()
        if changed:
            answer["metadata"] = changed
        return answer

    def _changed_fields(self) -> dict[str, Any]:
        was = self._metadata
        changed = {
            name: value
            for name, value in self.metadata.items()
            if name not in was
            or was[name] != (json.dumps(value) if isinstance(value, (dict, list)) else value)
            or type(was[name]) is not type(value) and not isinstance(value, (dict, list))
        }
        changed.update((name, None) for name in was if name not in self.metadata)
        return changed


def _text(what: str, value: Any) -> str:
    # `None` would mean that nothing was said, and anything else breaks the protocol, which costs a process.
    if not isinstance(value, str):
        raise TypeError(f"{what} is a string, not {type(value).__name__}")
    return value


def _copied(metadata: dict[str, Any]) -> dict[str, Any]:
    # Values that hold others may be changed in place, so comparing needs a copy of them, not of all.
    return {
        name: json.dumps(value) if isinstance(value, (dict, list)) else value for name, value in metadata.items()
    }


class Stage:
    """A function that `serve` can run as a stage. It can still be called as the function that it is."""

    def __init__(self, function: Callable[..., Any], judges: bool):
        self.function = function
        self.judges = judges
        self.wants_options = len(inspect.signature(function).parameters) > 1
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)

    def answer(self, document: Document, options: dict[str, Any]) -> dict[str, Any]:
        """What is answered about a document."""
        id = document.id
        try:
            result = self.function(document, options) if self.wants_options else self.function(document)
            if self.judges:
                return self._judged(document, result)
            if result is not None:
                if not isinstance(result, str):
                    raise TypeError(f"an extractor returns a text or nothing, not {type(result).__name__}")
                document.text = result
            return document._changes()
        except Exception as error:  # Whatever it is, it concerns one document.
            return {"id": id, "fail": _told(error)}

    def _judged(self, document: Document, result: Union[None, bool, str]) -> dict[str, Any]:
        answer = document._answer
        if isinstance(result, str):
            answer["drop"] = result
        elif result is False:
            answer["drop"] = self.__name__.replace("_", "-")
        elif result is not None and result is not True:
            raise TypeError(f"a filter returns a reason, True, False or nothing, not {type(result).__name__}")
        return answer


def filter(function: Callable[..., Union[None, bool, str]]) -> Stage:
    """Makes a filter of a function of a document, or of a document and the options.

    `True` or nothing keeps the document; a string drops it for that reason, `False` for the name of the function.
    """
    return Stage(function, judges=True)


def extractor(function: Callable[..., Optional[str]]) -> Stage:
    """Makes an extractor of a function of a document, or of a document and the options.

    It changes `document.text` and `document.metadata`, or returns the new text.
    """
    return Stage(function, judges=False)


def _told(error: Exception) -> str:
    """What went wrong, and in which line of the user's program."""
    frames = traceback.extract_tb(error.__traceback__)
    here = os.path.abspath(__file__)
    place = next((f for f in reversed(frames) if os.path.abspath(f.filename) != here), None)
    where = f" ({os.path.basename(place.filename)}, line {place.lineno})" if place else ""
    return f"{type(error).__name__}: {error}{where}"
