"""Runs pipelines in shards on Ray, which starts tasks and nothing else.

`python -m tamis.ray PIPELINE -o OUTPUT --shards 200 --cpus 8`, or `tamis.launch(..., runner=tamis.ray.runner(cpus=8))`. The
machines of the cluster see pipeline, input and output under the same paths, and have this package.
"""

from __future__ import annotations

import os
from typing import Iterable, Optional, Sequence

from tamis._launch import Result, Runner, Task, lost, main, run_task


def runner(cpus: float = 1, address: Optional[str] = None) -> Runner:
    """Runs tasks on Ray; a task is placed where so many CPUs are free. `run.threads` in the settings should be that number."""
    import ray

    if not ray.is_initialized():
        # In a Ray that is there for this launch only, nobody looks at a dashboard.
        is_ours = not (address or os.environ.get("RAY_ADDRESS"))
        ray.init(address=address, log_to_driver=False, **({"include_dashboard": False} if is_ours else {}))
    # A machine that goes away loses its tasks; Ray starts them again, and they go on where they were.
    remote = ray.remote(num_cpus=cpus, max_retries=3)(run_task)

    def run(tasks: Sequence[Task]) -> Iterable[Result]:
        waiting = {remote.remote(task): task for task in tasks}
        while waiting:
            (done, *_), _ = ray.wait(list(waiting))
            task = waiting.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                # It is run again; what Ray says matters where all machines have the same fault, such as no package.
                yield lost(task, error)

    return run


def _more(parser) -> None:
    parser.add_argument("--cpus", type=float, default=1, help="CPUs that a task takes (1)")
    parser.add_argument("--address", help="the cluster; without it the one that RAY_ADDRESS names, or this machine")


if __name__ == "__main__":
    raise SystemExit(main("ray", lambda it: runner(it.cpus, it.address), _more))
