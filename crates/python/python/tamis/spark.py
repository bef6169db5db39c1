"""Runs pipelines in shards on any server that speaks Spark Connect, which starts tasks and shuffles keys.

`python -m tamis.spark PIPELINE -o OUTPUT --shards 200 --remote sc://cluster:15002`, or
`tamis.launch(..., runner=tamis.spark.runner(session))`. What goes through Spark is the number of a task and how it ended, and the
keys of what must see everything (`tamis._keys`): hashes and numbers. The executors see pipeline, input and output under the
same paths, and have this package.
"""

from __future__ import annotations

import os
from typing import Any, Iterable, Iterator, Sequence

from tamis import _keys
from tamis._launch import Result, Task, lost, main, run_task

COLUMNS = ["shard", "code", "said", "seconds"]
SCHEMA = "shard int, code int, said string, seconds double"


class runner:
    """Runs tasks as the partitions of one query of a session, and reduces keys as a data frame."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def __call__(self, tasks: Sequence[Task]) -> Iterable[Result]:
        def run_rows(frames: Iterator[Any]) -> Iterator[Any]:
            import pandas

            for frame in frames:
                ended = [run_task(tasks[place]) for place in frame["id"]]
                yield pandas.DataFrame([(it.shard, it.code, it.said, it.seconds) for it in ended], columns=COLUMNS)

        from pyspark.errors import PySparkException

        # One task a partition, so that each is placed, and started again, for itself.
        ended = self.session.range(0, len(tasks), 1, len(tasks)).mapInPandas(run_rows, SCHEMA)
        try:
            return [Result(row.shard, row.code, row.said, row.seconds) for row in ended.collect()]
        except PySparkException as error:
            # Which task it was is not said. Those that have ended find that out, the others go on where they were.
            return [lost(task, error) for task in tasks]

    def reduce(self, tables: str, round: dict[str, Any], n_rows: int, out: str) -> None:
        """Writes rows to a folder that reduce to what the rows of some tables reduce to, and are fewer."""
        rows = _keys.check(self.session, tables, n_rows)
        os.makedirs(out)
        left = _keys.grouped(self.session, rows, round, out) if _keys.has_groups(round) else _keys.reduced(rows, round)
        if left is not None:
            _keys.stored(left, os.path.join(out, _keys.LEFT))

    def keep(self, tables: str, tallied: dict[str, Any], n_rows: int, out: str) -> None:
        """Writes which entries of tallied states are shared to a folder, for each shard its own."""
        rows = _keys.check(self.session, tables, n_rows)
        os.makedirs(out)
        _keys.stored(_keys.shared(rows, tallied), os.path.join(out, _keys.LEFT), ["shard"])


def _session(remote: str) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.builder.remote(remote).getOrCreate()


def _more(parser) -> None:
    parser.add_argument("--remote", required=True, help="the server, as in sc://cluster:15002")


if __name__ == "__main__":
    raise SystemExit(main("spark", lambda it: runner(_session(it.remote)), _more))
