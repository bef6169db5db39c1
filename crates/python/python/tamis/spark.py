"""Runs pipelines in shards on any server that speaks Spark Connect, which starts tasks and nothing else.

`python -m tamis.spark PIPELINE -o OUTPUT --shards 200 --remote sc://cluster:15002`, or
`tamis.launch(..., runner=tamis.spark.runner(session))`. What goes through Spark is the number of a task and how it ended. The
executors see pipeline, input and output under the same paths, and have this package.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence

from tamis._launch import Result, Runner, Task, main, run_task

COLUMNS = ["shard", "code", "said", "seconds"]
SCHEMA = "shard int, code int, said string, seconds double"


def runner(session: Any) -> Runner:
    """Runs tasks as the partitions of one query of a session."""

    def run(tasks: Sequence[Task]) -> Iterable[Result]:
        def run_rows(frames: Iterator[Any]) -> Iterator[Any]:
            import pandas

            for frame in frames:
                ended = [run_task(tasks[place]) for place in frame["id"]]
                yield pandas.DataFrame([(it.shard, it.code, it.said, it.seconds) for it in ended], columns=COLUMNS)

        # One task a partition, so that each is placed, and started again, for itself.
        ended = session.range(0, len(tasks), 1, len(tasks)).mapInPandas(run_rows, SCHEMA)
        return [Result(row.shard, row.code, row.said, row.seconds) for row in ended.collect()]

    return run


def _session(remote: str) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession.builder.remote(remote).getOrCreate()


def _more(parser) -> None:
    parser.add_argument("--remote", required=True, help="the server, as in sc://cluster:15002")


if __name__ == "__main__":
    raise SystemExit(main("spark", lambda it: runner(_session(it.remote)), _more))
