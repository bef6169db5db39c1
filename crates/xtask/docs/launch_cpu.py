"""What it costs to have an engine start shards: CPU time of `tamis.launch` beside one run of the same pipeline.

    python launch_cpu.py ENGINE [--shards 4] [--rounds 3] [--megabytes 400] [--corpus-stages]

ENGINE is `threads`, `ray`, `sail` or `spark`; what it needs must be installed beside this package. Pages are invented, the
same each time. The engine is started first and left alone until it is quiet; what it takes while it does nothing is measured
then and shown apart. A round is one run with two threads, then a launch with two tasks at once, one thread each, on the
engine that is there; documents must be the same. CPU time is user and system time out of /proc, of every process below this
one and of those that they waited for, so it is Linux alone; what a task starts is told from what its worker takes itself.
"""

import argparse
import atexit
import glob
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import tamis
import tamis._launch
from tamis import _program

TICK = os.sysconf("SC_CLK_TCK")
SETTLE_SECS = 10.0

STAGES = """
[[stage]]
use = "repair-text"

[[stage]]
use = "metadata"

[[stage]]
use = "boilerplate"

[[stage]]
use = "length"
min_chars = 200
"""

CORPUS_STAGES = """
[[stage]]
use = "dedup-exact"

[[stage]]
use = "dedup-near"

[[stage]]
use = "line-template"
group_by = "site"
"""


def invent(folder, n_bytes, n_files=8):
    """Files of pages: lines that a site repeats around paragraphs of invented words; one page in twenty comes twice."""
    chance = random.Random(11)
    letters = "aeioubcdfghlmnprstvw"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(20_000)]
    sites = [[" ".join(chance.choices(words, k=chance.randint(1, 6))) for _ in range(14)] for _ in range(30)]
    earlier = []
    for number in range(n_files):
        with open(os.path.join(folder, f"{number}.jsonl"), "w", encoding="utf-8") as file:
            while file.tell() < n_bytes / n_files:
                site = chance.randrange(len(sites))
                paragraphs = [
                    " ".join(chance.choices(words, k=chance.randint(20, 90))).capitalize() + "."
                    for _ in range(chance.randint(3, 14))
                ]
                page = {"site": f"s{site}", "text": "\n".join([*sites[site][:8], *paragraphs, *sites[site][8:]])}
                if earlier and chance.random() < 0.05:
                    page = chance.choice(earlier)
                elif len(earlier) < 500:
                    earlier.append(page)
                file.write(json.dumps(page) + "\n")


class Processes:
    """CPU seconds of the processes below this one, by what they are."""

    def seen(self):
        """By process: its name, its own seconds, and those of what it has waited for."""
        parents, found = {}, {}
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    head, _, rest = file.read().rpartition(")")
                fields = rest.split()
                pid = int(head.split()[0])
                parents[pid] = int(fields[1])
                # In a thread that is this program, its own time is asked for beside.
                own, waited = int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])
                found[pid] = (own / TICK, waited / TICK)
            except (OSError, IndexError, ValueError):
                continue
        below = {os.getpid()}
        for _ in range(12):
            below |= {pid for pid, parent in parents.items() if parent in below}
        return {pid: (name_of(pid), *found[pid]) for pid in below if pid in found}


def name_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            line = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "gone"
    if pid == os.getpid():
        return "driver"
    known = {
        "ray::": "worker",
        "default_worker.py": "worker",
        "gcs_server": "gcs",
        "runtime_env": "agent",
        "dashboard/agent.py": "agent",
        "dashboard": "dashboard",
        "log_monitor": "log monitor",
        "monitor.py": "monitor",
        "raylet": "raylet",
        "pyspark.daemon": "python worker",
        "pyspark/daemon": "python worker",
        "java": "jvm",
        "pysail": "sail",
        "sail": "sail",
        "-m tamis": "task",
    }
    return next((name for part, name in known.items() if part in line), line[:30] or "thread")


def taken(before, after):
    """Seconds by name between two looks: own, and waited for."""
    sums = {}
    for pid, (name, own, waited) in after.items():
        _, own_before, waited_before = before.get(pid, (name, 0.0, 0.0))
        sum = sums.setdefault(name, [0.0, 0.0])
        sum[0] += own - own_before
        sum[1] += waited - waited_before
    return sums


def total(sums):
    return sum(own + waited for own, waited in sums.values())


def one_run(pipeline, output):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    arguments = ["run", pipeline, "-o", output, "--quiet", "--fresh", "--set", "run.threads=2"]
    subprocess.run([*_program.command(), *arguments], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime


def documents(folder):
    lines = []
    for part in sorted(glob.glob(os.path.join(folder, "**", "part-*.jsonl"), recursive=True)):
        if "__" not in part:
            with open(part, encoding="utf-8") as file:
                lines += file
    return lines


def engine(name):
    """Starts an engine; what runs tasks on it."""
    if name == "threads":
        return tamis._launch.in_threads(2)
    if name == "ray":
        # Its workers give way to everything else, and on a busy machine a round takes hours.
        os.environ.setdefault("RAY_worker_niceness", "0")
        import ray
        from tamis.ray import runner

        ray.init(num_cpus=2, log_to_driver=False, include_dashboard=False)
        return runner(cpus=1)
    from pyspark.sql import SparkSession
    from tamis import spark

    if name == "spark":
        os.environ["PYSPARK_PYTHON"] = sys.executable
        return spark.runner(SparkSession.builder.remote("local[2,4]").getOrCreate())
    port = 50_000 + os.getpid() % 10_000
    command = [os.path.join(os.path.dirname(sys.executable), "sail"), "spark", "server", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(server.terminate)
    time.sleep(5)
    return spark.runner(SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate())


def shown(sums):
    parts = [f"{name} {own:.2f}+{waited:.2f}" for name, (own, waited) in sorted(sums.items()) if own + waited > 0.05]
    return ", ".join(parts)


def main():
    parser = argparse.ArgumentParser(description="CPU time of a launch beside one run.")
    parser.add_argument("engine", choices=["threads", "ray", "sail", "spark"])
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--corpus-stages", action="store_true", help="stages that must see everything, in segments")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tamis-launch-")
    try:
        measure(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments, folder):
    os.makedirs(os.path.join(folder, "in"))
    invent(os.path.join(folder, "in"), arguments.megabytes * 1e6)
    pipeline = os.path.join(folder, "p.toml")
    stages = CORPUS_STAGES if arguments.corpus_stages else STAGES
    with open(pipeline, "w") as file:
        file.write('[[source]]\nuse = "jsonl"\npaths = ["in"]\n' + stages + '\n[[export]]\nuse = "jsonl"\npath = "out"\n')
    processes, ratios = Processes(), []
    before = processes.seen()
    runner = engine(arguments.engine)
    at_once = processes.seen()
    time.sleep(SETTLE_SECS)
    started = processes.seen()
    time.sleep(SETTLE_SECS)
    idle = taken(started, processes.seen())
    print(f"start: {total(taken(before, at_once)):.2f} s when it says so, {total(taken(before, started)):.2f} s in the end")
    print(f"idle: {total(idle) / SETTLE_SECS:.3f} s a second ({shown(idle)})", flush=True)
    for round in range(arguments.rounds):
        user, system = one_run(pipeline, os.path.join(folder, "one"))
        print(f"round {round}: one run {user:.2f} user + {system:.2f} system", flush=True)
        output = os.path.join(folder, f"many-{round}")
        before, began = processes.seen(), time.monotonic()
        settings = {"run.threads": 1}
        tamis.launch(pipeline, output, shards=arguments.shards, runner=runner, settings=settings)
        sums, seconds = taken(before, processes.seen()), time.monotonic() - began
        spent, resting = total(sums), total(idle) / SETTLE_SECS * seconds
        ratios.append((spent - resting) / (user + system))
        print(
            f"    launch {spent:.2f} in {seconds:.0f} s, {resting:.2f} of it as when idle: {spent / (user + system):.3f}, "
            f"{ratios[-1]:.3f} without\n    {shown(sums)}",
            flush=True,
        )
        if documents(output) != documents(os.path.join(folder, "one")):
            sys.exit("the documents are not the same")
        shutil.rmtree(output)
    print(f"median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
