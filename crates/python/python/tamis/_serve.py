"""The other side of the stage `exec`: the program of a stage answers for the documents that it is sent. No dependency."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, Callable

from tamis._stage import _DECODE, _ENCODE, FLUSH_SECS, Document, Stage

PROTOCOL = 1
"""The version of the protocol that this module speaks."""


def serve(stage: Stage) -> None:
    """Answers for a stage until there are no more documents: the last line of a program for `exec`."""
    if not isinstance(stage, Stage):
        raise TypeError("serve takes a function with @tamis.filter or @tamis.extractor")
    if sys.stdin.isatty():
        sys.exit("This is a stage of a pipeline: name it in a [[stage]] with use = \"exec\".")
    # What the function prints must not stand between answers, and what it reads, or a program that it starts and that
    # inherits standard input, must not be documents.
    lines, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)
    hello = json.loads(lines.readline())
    try:
        speak = _spoken(hello)
    except (ImportError, ValueError) as error:
        _write(answers, {"tamis": PROTOCOL, "error": str(error)})
        answers.flush()
        return
    welcome = {"tamis": PROTOCOL, "format": hello["format"]} if "format" in hello else {"tamis": PROTOCOL}
    _write(answers, welcome)
    answers.flush()
    speak(stage, hello["options"], lines, answers)


def _spoken(hello: dict[str, Any]) -> Callable[..., None]:
    """What reads documents and writes answers, in the form that was asked for."""
    if hello.get("tamis") != PROTOCOL:
        raise ValueError(f"this Python package speaks version {PROTOCOL}")
    format = hello.get("format", "jsonl")
    if format == "jsonl":
        return _serve_lines
    if format != "arrow":
        raise ValueError(f"this Python package does not speak `{format}`")
    try:
        from tamis._arrow import serve_batches
    except ImportError as error:
        raise ImportError(f'`format = "arrow"` needs PyArrow, `pip install pyarrow`: {error}') from error
    return serve_batches


def _serve_lines(stage: Stage, options: dict[str, Any], lines: Any, answers: Any) -> None:
    judges = stage.judges
    while head := lines.readline():
        flushed = time.monotonic()
        for _ in range(json.loads(head)["batch"]):
            document = Document(_DECODE(str(lines.readline(), "utf-8")), judges)
            _write(answers, stage.answer(document, options))
            if time.monotonic() - flushed > FLUSH_SECS:
                answers.flush()
                flushed = time.monotonic()
        answers.flush()


def _write(answers: Any, message: dict[str, Any]) -> None:
    try:
        # NaN and infinities are no JSON; half a surrogate pair is no text.
        line = _ENCODE(message).encode()
    except (TypeError, ValueError) as error:
        line = json.dumps({"id": message["id"], "fail": f"the answer is no JSON: {error}"}).encode()
    answers.write(line + b"\n")
