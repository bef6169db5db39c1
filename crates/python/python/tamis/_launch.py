"""Runs a pipeline in shards, wherever tasks can be run: the part that Ray, Spark and threads share.

A task is `tamis run --segment K --shard I/N` in a process of its own, on a machine that sees the pipeline, the input and
the output under the same paths and has this package. An engine is asked to start tasks, and one that can to reduce keys; text
never goes through it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Iterable, Mapping, Optional, Sequence

from tamis import _keys
from tamis._program import PARENT, command
from tamis._run import Error, Path, _set, plan

SETUP = 2
"""The exit code of a task that will not go better another time."""

BROKEN = 3
"""The exit code of a task that may go better another time."""

OUTPUT_LINES = 20
"""So many lines of what a task says are kept for the message about it, the last; of an engine the first."""


@dataclasses.dataclass(frozen=True)
class Task:
    """One segment of one shard."""

    segment: int
    shard: int
    arguments: tuple[str, ...]
    keys: Optional[_keys.Keys] = None
    """What is left for an engine that reduces keys."""
    thinned: Optional[_keys.Thinned] = None
    """The state that is thinned out, in place of running anything."""


@dataclasses.dataclass(frozen=True)
class Result:
    """How a task ended."""

    shard: int
    code: int
    said: str
    seconds: float


def run_task(task: Task) -> Result:
    """Runs a task on this machine. Running it twice, or again after it was killed, does no harm."""
    began = time.monotonic()
    if task.thinned is not None:
        failed = _keys.thin(task.thinned)
        return Result(task.shard, 0 if failed is None else BROKEN, _last_of(failed or ""), time.monotonic() - began)
    done = subprocess.run(
        [*command(), *task.arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, PARENT: str(os.getpid())},
    )
    code, said = done.returncode, done.stderr
    if code == 0 and task.keys is not None:
        failed = _keys.leave(task.keys)
        code, said = (0, said) if failed is None else (BROKEN, failed)
    return Result(task.shard, code, _last_of(said), time.monotonic() - began)


def _last_of(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-OUTPUT_LINES:])


def lost(task: Task, error: Exception) -> Result:
    """How a task ended of which an engine says that it could not be run to its end."""
    # Engines tell all their frames behind what is wrong.
    return Result(task.shard, BROKEN, "\n".join(str(error).strip().splitlines()[:OUTPUT_LINES]), 0.0)


Runner = Callable[[Sequence[Task]], Iterable[Result]]
"""Runs tasks, all of which may run at once, and gives their results in any order. A task whose machine was lost may be missing
among them: it is run again. One that has a method `reduce` is asked to reduce keys, too, and with `keep` to say which entries of
states are shared; see `tamis.spark`."""


def in_threads(jobs: int) -> Runner:
    """Runs tasks on this machine, so many at once."""

    def run(tasks: Sequence[Task]) -> Iterable[Result]:
        with ThreadPoolExecutor(jobs) as pool:
            yield from pool.map(run_task, tasks)

    return run


def launch(
    pipeline: Path,
    output: Path,
    *,
    shards: int,
    runner: Optional[Runner] = None,
    settings: Optional[Mapping[str, Any]] = None,
    attempts: int = 3,
    log: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Runs a pipeline in shards: each segment for all of them, then what it has learned is merged for the next.

    Returns what `tamis merge --json` says of the whole. Raises `Error` when a task is refused, or fails `attempts` times; the
    same call goes on then with what is missing. `runner` says where tasks run; two at once on this machine if it is not
    given.
    """
    if shards < 1:
        raise ValueError("a run has one shard at least")
    pipeline, output = os.path.abspath(pipeline), os.path.abspath(output)
    runner = runner or in_threads(2)
    states: dict[tuple[str, int], str] = {}
    for segment in plan(pipeline, settings=settings)["segments"]:
        number = segment["index"]
        needed = [states[need["stage"], need["pass"]] for need in segment["needs"]]
        arguments = ["run", pipeline, "--quiet", "-o", output, "--segment", str(number), *_set(settings)]
        arguments += [argument for state in needed for argument in ("--state", state)]
        of_shards = [_saved(output, segment["state"], shard, shards) for shard in range(shards)]
        tables = of_shards[0] and hasattr(runner, "reduce") and os.path.join(output, f"__keys-{segment['state']}")
        tasks = []
        for shard, saved in enumerate(of_shards):
            keys = _keys.Keys(pipeline, tuple(_set(settings)), saved, shard, tables) if tables else None
            tasks.append(Task(number, shard, (*arguments, "--shard", f"{shard}/{shards}"), keys))
        _run_all(tasks, runner, attempts, log)
        log(f"segment {number}: {shards} shards")
        if segment["state"] is not None:
            observed = segment["observes"]
            state = os.path.join(output, segment["state"])
            states[observed["stage"], observed["pass"]] = state
            earlier = [path for (stage, _), path in states.items() if stage == observed["stage"] and path != state]
            before = [argument for path in earlier for argument in ("--state", path)]
            # A shard that has come to its end has no states any more: then an earlier launch has merged them.
            if all(map(os.path.exists, of_shards)) or not os.path.exists(state):
                through = _through_engine(tasks, runner, tables, attempts, log) if tables else None
                left, rows = through or (of_shards, [])
                _merge_states(pipeline, left, state, [*rows, *before], settings)
                how = " without the engine: it has no rows for one" if tables and not through else ""
                log(f"segment {number}: merged what {observed['stage']} has learned{how}")
            if tables:
                shutil.rmtree(tables, ignore_errors=True)
    return _merge(output)


def _run_all(tasks: Sequence[Task], runner: Runner, attempts: int, log: Callable[[str], None]) -> None:
    left = {task.shard: task for task in tasks}
    last: dict[int, Result] = {}
    for attempt in range(attempts):
        for result in runner(list(left.values())):
            last[result.shard] = result
            if result.code == 0:
                left.pop(result.shard, None)
            elif result.code == SETUP:
                raise Error(result.said, SETUP)
            else:
                log(f"shard {result.shard} ended with {result.code}, attempt {attempt + 1}: {result.said}")
        if not left:
            return
    shard = min(left)
    result = last.get(shard, Result(shard, 3, "its machine was lost", 0.0))
    numbers = ",".join(map(str, sorted(left)))
    raise Error(f"shards {numbers} failed {attempts} times; shard {shard} said: {result.said}", result.code)


def _saved(output: str, name: Optional[str], shard: int, shards: int) -> str:
    """Where a shard saves the state of a segment; empty if it makes none."""
    return name and os.path.join(output, f"shard-{shard:05}-of-{shards:05}", ".tamis", name) or ""


def _through_engine(
    tasks: Sequence[Task],
    runner: Any,
    tables: str,
    attempts: int,
    log: Callable[[str], None],
) -> Optional[tuple[list[str], list[str]]]:
    """Has an engine reduce the tables of all shards: the states to merge, and the arguments that hand on rows that it has left.
    Nothing if they are for `tamis state merge` alone."""
    found = _keys.left(tables, len(tasks))
    reduced = os.path.join(tables, f"_reduced-{uuid.uuid4().hex}")
    if found.tallied is not None and hasattr(runner, "keep"):
        runner.keep(tables, found.tallied, found.n_rows, reduced)
        thinned = [_thinning(task, found, reduced) for task in tasks]
        n_left = sum(task.thinned.n_left for task in thinned)
        bytes = _keys.entry_bytes(found.tallied)
        log(f"{found.tallied['name']}: {found.n_rows} rows of {bytes} bytes, {n_left} left")
        _run_all(thinned, runner, attempts, log)
        return [task.thinned.out for task in thinned], []
    if found.round is None:
        # Rows of any length, or an index.
        return None
    rows = os.path.join(tables, "_reduced.rows")
    runner.reduce(tables, found.round, found.n_rows, reduced)
    n_left = _keys.read(reduced, tables, found.round, rows)
    bytes = _keys.Layout.of(found.round).shuffled
    log(f"round {found.round['name']}: {found.n_rows} rows of {bytes} bytes, {n_left} left")
    return [task.keys.state for task in tasks], ["--rows", rows]


def _thinning(task: Task, found: _keys.Left, reduced: str) -> Task:
    """The task that thins out the state that another has left."""
    shard, out = task.shard, os.path.join(task.keys.folder, f"shard-{task.shard:05}.state")
    thinned = _keys.Thinned(task.keys, reduced, found.rows[shard], _keys.counted(reduced, shard), out)
    return Task(task.segment, shard, (), thinned=thinned)


def _merge_states(
    pipeline: str,
    saved: Sequence[str],
    state: str,
    more: Sequence[str],
    settings: Optional[Mapping[str, Any]],
) -> None:
    # Reduced here, once, and not by every shard.
    _ended(["state", "merge", pipeline, *saved, "-o", state, "--reduce", *more, *_set(settings)])


def _merge(output: str) -> dict[str, Any]:
    return json.loads(_ended(["merge", output, "--json"]))


def _ended(arguments: Sequence[str]) -> str:
    done = subprocess.run([*command(), *arguments], capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode != 0:
        raise Error(done.stderr.strip(), done.returncode)
    return done.stdout


def main(engine: str, make: Callable[[Any], Runner], more: Callable[[Any], None]) -> int:
    """The command line of an engine: `python -m tamis.ray PIPELINE -o OUTPUT --shards N`."""
    import argparse
    import sys

    parser = argparse.ArgumentParser(f"python -m tamis.{engine}", description=f"Runs a pipeline in shards on {engine}.")
    parser.add_argument("pipeline")
    parser.add_argument("-o", "--output", required=True, help="a folder that all machines see")
    parser.add_argument("--shards", type=int, required=True, help="how many tasks each segment has")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for `tamis run`")
    parser.add_argument("--attempts", type=int, default=3, help="how often a task is tried (3)")
    more(parser)
    arguments = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in arguments.set)
    try:
        whole = launch(
            arguments.pipeline,
            arguments.output,
            shards=arguments.shards,
            runner=make(arguments),
            settings=settings,
            attempts=arguments.attempts,
            log=lambda line: print(line, file=sys.stderr),
        )
    except Error as error:
        print(error, file=sys.stderr)
        return error.code
    tally = whole["tally"]
    print(f"{whole['count']} shards: {tally['kept']} kept, {tally['dropped']} dropped, {tally['failed']} failed")
    return 0
