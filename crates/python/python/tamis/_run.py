"""Commands of Tamis as functions. Each is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from typing import Any, Callable, Mapping, Optional, Sequence, Union

from tamis._program import command

Path = Union[str, "os.PathLike[str]"]


class Error(Exception):
    """A command that did not do its work: the message is what it says, with the place and a way out.

    `code` is the exit code: 1 for too many failures, 2 for a wrong setup, 3 for a run that broke off and can be resumed.
    `mistakes` lists what is wrong with a pipeline, each with `file`, `line`, `column`, `message` and `help`.
    """

    def __init__(self, message: str, code: int, mistakes: Sequence[dict[str, Any]] = ()):
        super().__init__(message)
        self.code = code
        self.mistakes = list(mistakes)


def check(path: Path, *, settings: Optional[Mapping[str, Any]] = None) -> list[dict[str, Any]]:
    """Checks a pipeline; returns the warnings, and raises `Error` if there is a mistake."""
    done = _ended(["check", os.fspath(path), "--json", *_set(settings)])
    mistakes = _json(done.stdout, [])
    if done.returncode != 0:
        raise Error(_said(done.stderr, mistakes), done.returncode, mistakes)
    return mistakes


def plan(path: Path, *, settings: Optional[Mapping[str, Any]] = None) -> dict[str, Any]:
    """What a run of a pipeline would do: inputs, segments, every option."""
    done = _ended(["plan", os.fspath(path), "--json", *_set(settings)])
    if done.returncode != 0:
        raise Error(_said(done.stderr, []), done.returncode)
    return json.loads(done.stdout)


def run(
    path: Path,
    *,
    inputs: Sequence[Path] = (),
    output: Optional[Path] = None,
    settings: Optional[Mapping[str, Any]] = None,
    fresh: bool = False,
    limit: Optional[int] = None,
    shard: Optional[str] = None,
    on_event: Optional[Callable[[dict[str, Any]], None]] = None,
) -> dict[str, Any]:
    """Runs a pipeline and returns the last event, with the tally and what was written.

    `inputs`, `output`, `fresh`, `limit` and `shard` are the flags of `tamis run`, `settings` its `--set`:
    `{"run.threads": 2, "stage.length.min_chars": 100}`. `on_event` is called with each event of `--json`: `started`,
    `progress`, `warning`, `finished`.

    Raises `Error` when the run was refused, broke off, or more failed than `max_failed_ratio` allows. An interrupt ends
    the run tidily; the same call goes on where it was.
    """
    arguments = ["run", os.fspath(path), *map(os.fspath, inputs), "--json", *_set(settings)]
    arguments += ["-o", os.fspath(output)] if output is not None else []
    arguments += ["--fresh"] if fresh else []
    arguments += ["--limit", str(limit)] if limit is not None else []
    arguments += ["--shard", shard] if shard is not None else []
    last: dict[str, Any] = {}
    # A file and no pipe, because nobody reads it before the end.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with subprocess.Popen([*command(), *arguments], stdout=subprocess.PIPE, stderr=errors) as process:
            try:
                for line in process.stdout or ():
                    last = json.loads(line)
                    if on_event is not None:
                        on_event(last)
            except BaseException:
                # It hears of an interrupt itself where it came from a terminal, and not where a notebook sent it.
                process.send_signal(signal.SIGTERM)
                process.wait()
                raise
        errors.seek(0)
        said = errors.read()
    if process.returncode != 0:
        mistakes = last.get("mistakes", [])
        raise Error(_said(said, mistakes), process.returncode, mistakes)
    return last


def _ended(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*command(), *arguments], capture_output=True, encoding="utf-8", errors="replace")


def _set(settings: Optional[Mapping[str, Any]]) -> list[str]:
    flags = []
    for key, value in (settings or {}).items():
        # A string is TOML already if it is one; JSON is how TOML writes all that stands in one line.
        text = value if isinstance(value, str) else json.dumps(value)
        flags += ["--set", f"{key}={text}"]
    return flags


def _json(text: str, otherwise: Any) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def _said(errors: str, mistakes: Sequence[dict[str, Any]]) -> str:
    if errors.strip():
        return errors.strip()
    return "\n".join(f"{it.get('file')}:{it.get('line')}: {it['message']}: {it.get('help')}" for it in mistakes)
