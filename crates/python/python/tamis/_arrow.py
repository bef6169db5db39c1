"""Python functions as stages that are given record batches: `exec` with `format = "arrow"`. Needs PyArrow."""

from __future__ import annotations

import time
from typing import Any, Optional

import pyarrow
import pyarrow.ipc

from tamis._stage import _DECODE, _ENCODE, FLUSH_SECS, Document, Stage, _copied

_TEXT = pyarrow.string()
_COLUMNS = ("id", "drop", "fail", "text", "metadata", "split", "counts")
_SCHEMA = pyarrow.schema([(name, _TEXT) for name in _COLUMNS])
_AS_JSON = frozenset(("metadata", "split", "counts"))


class _Row(Document):
    """A document of a batch, whose metadata is read when somebody looks at it."""

    __slots__ = ("_json", "_fields", "_judged")

    def __init__(self, id: str, text: str, metadata: str, raw: Optional[bytes], judged: bool):
        self.id = id
        self.text = self._text = text
        self.raw = raw
        self._json = metadata
        self._fields: Optional[dict[str, Any]] = None
        self._judged = judged
        self._answer = {"id": id}

    @property
    def metadata(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = _DECODE(self._json)
            if not self._judged:
                self._metadata = _copied(self._fields)
        return self._fields

    @metadata.setter
    def metadata(self, fields: dict[str, Any]) -> None:
        if not self._judged:
            self._metadata = _copied(_DECODE(self._json))
        self._fields = fields

    def _changed_fields(self) -> dict[str, Any]:
        return {} if self._fields is None else super()._changed_fields()


def serve_batches(stage: Stage, options: dict[str, Any], requests: Any, answers: Any) -> None:
    """Answers for a stage until there are no more documents."""
    with pyarrow.ipc.open_stream(requests) as batches, pyarrow.ipc.new_stream(answers, _SCHEMA) as writer:
        for batch in batches:
            for part in _answered(stage, options, batch):
                writer.write_batch(_table(part))
                answers.flush()


def _answered(stage: Stage, options: dict[str, Any], batch: Any) -> Any:
    """The answers of a batch; of one that takes long, bit by bit."""
    n = batch.num_rows
    columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
    rows = zip(columns["id"], columns["text"], columns["metadata"], columns.get("raw") or [None] * n)
    judges, answer, clock = stage.judges, stage.answer, time.monotonic
    part: list[dict[str, Any]] = []
    flushed = clock()
    for id, text, metadata, raw in rows:
        part.append(answer(_Row(id, text, metadata, raw, judges), options))
        if clock() - flushed > FLUSH_SECS:
            yield part
            part, flushed = [], clock()
    if part:
        yield part


def _table(answers: list[dict[str, Any]]) -> Any:
    said = set().union(*answers)
    try:
        return pyarrow.record_batch([_column(name, answers, said) for name in _COLUMNS], schema=_SCHEMA)
    except (pyarrow.ArrowException, TypeError, ValueError):
        # It is the answer to one document that cannot be written, and no other's.
        return pyarrow.record_batch(
            [_column(name, [_sound(answer) for answer in answers], said | {"fail"}) for name in _COLUMNS],
            schema=_SCHEMA,
        )


def _column(name: str, answers: list[dict[str, Any]], said: set[str]) -> Any:
    if name not in said:
        return pyarrow.nulls(len(answers), _TEXT)
    values = [answer.get(name) for answer in answers]
    if name in _AS_JSON:
        # NaN and infinities are no JSON.
        values = [None if value is None else _ENCODE(value) for value in values]
    return _strings(values)


def _strings(values: list[Optional[str]]) -> Any:
    # `pyarrow.array` imports pandas where it is installed, which takes longer than some thousand documents.
    builder = getattr(pyarrow.lib, "StringBuilder", None)
    if builder is None:
        return pyarrow.array(values, _TEXT)
    strings = builder()
    strings.append_values(values)
    return strings.finish()


def _sound(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, or why it cannot be written."""
    try:
        for name in answer:
            _column(name, [answer], {name})
        return answer
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        return {"id": answer["id"], "fail": f"the answer cannot be written: {error}"}
