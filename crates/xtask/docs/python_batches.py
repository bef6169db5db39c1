"""What documents take in this process beside what they take in a run: CPU time of `Pipeline.process` on record batches.

    python python_batches.py [--megabytes 100] [--batch 1000] [--rounds 5] [--threads 2] [--length]

The package and PyArrow must be installed. Pages are invented (`launch_cpu.py`, beside this file). In each round four runs and
two programs in Python take turns, every other round backwards. All figures are user and system time of a process that was
waited for:

    run      = JSON Lines to JSON Lines through the stages, less the same of one page,
               less JSON Lines to JSON Lines without stages, less the same of one page
    process  = batches read, put through the stages, their results thrown away, less the same with one page put through

So reading and writing files are in neither, opening the stages and starting are in neither, and what `process` takes to make
documents of batches and batches of records is in its figure. `--length` has `length` in place of the stages that clean: hardly
any work, so that handing over is all that is measured, and the ratio says nothing.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

from launch_cpu import STAGES, invent

LENGTH = '\n[[stage]]\nuse = "length"\nmin_chars = 200\n'


def child(stages, path, batch, n_pages):
    """Puts pages through stages, all or the first few; the batches are read in either case."""
    import pyarrow.ipc

    import tamis

    pipeline = tamis.Pipeline(text=stages)
    with pyarrow.memory_map(path) as file:
        batches = pyarrow.ipc.open_file(file).read_all().to_batches(max_chunksize=batch)
    for rows in batches:
        rows = rows.slice(0, n_pages)
        n_pages -= rows.num_rows
        if rows.num_rows > 0:
            assert pyarrow.record_batch(pipeline.process(rows)).num_rows == rows.num_rows


def seconds(command, threads):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def prepare(folder, n_bytes, stages, threads):
    """Pages as JSON Lines and as batches, and the commands by name."""
    import pyarrow
    import pyarrow.ipc

    os.makedirs(os.path.join(folder, "in"))
    invent(os.path.join(folder, "in"), n_bytes, n_files=1)
    with open(os.path.join(folder, "in", "0.jsonl"), encoding="utf-8") as file:
        lines = file.readlines()
    with open(os.path.join(folder, "one.jsonl"), "w", encoding="utf-8") as file:
        file.write(lines[0])
    pages = pyarrow.Table.from_pylist([{"id": str(n), **json.loads(line)} for n, line in enumerate(lines)])
    path = os.path.join(folder, "pages.arrow")
    with pyarrow.OSFile(path, "wb") as file, pyarrow.ipc.new_file(file, pages.schema) as writer:
        writer.write_table(pages)
    commands = {}
    for name, text, source in [
        ("run", stages, "in/0.jsonl"),
        ("run of one", stages, "one.jsonl"),
        ("copy", "", "in/0.jsonl"),
        ("copy of one", "", "one.jsonl"),
    ]:
        file = os.path.join(folder, name.replace(" ", "-") + ".toml")
        with open(file, "w", encoding="utf-8") as out:
            out.write(f'[[source]]\nuse = "jsonl"\npaths = ["{source}"]\n{text}\n[[export]]\nuse = "jsonl"\npath = "out"\n')
            out.write(f"\n[run]\nthreads = {threads}\n")
        commands[name] = [sys.executable, "-m", "tamis", "run", file, "--quiet", "--fresh"]
    return path, len(lines), commands


def main():
    parser = argparse.ArgumentParser(description="CPU time of Pipeline.process beside that of a run.")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--length", action="store_true", help="with `length` and no other stage")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        stages, path, batch, n_pages = arguments.child
        return child(stages, path, int(batch), int(n_pages))
    folder = tempfile.mkdtemp(prefix="tamis-batches-")
    try:
        measure(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments, folder):
    stages = LENGTH if arguments.length else STAGES
    path, n_pages, commands = prepare(folder, arguments.megabytes * 1e6, stages, arguments.threads)
    python = [sys.executable, __file__, "--child", stages, path, str(arguments.batch)]
    commands["process"] = [*python, str(n_pages)]
    commands["process of one"] = [*python, "1"]
    print(f"{n_pages} pages, batches of {arguments.batch}, {arguments.threads} threads")
    ratios = []
    for round in range(arguments.rounds):
        order = list(commands) if round % 2 == 0 else list(reversed(commands))
        took = {name: seconds(commands[name], arguments.threads) for name in order}
        run = took["run"] - took["run of one"] - took["copy"] + took["copy of one"]
        process = took["process"] - took["process of one"]
        ratios.append(process / run)
        shown = ", ".join(f"{name} {value:.2f}" for name, value in took.items())
        print(f"round {round}: process {process:.2f}, run {run:.2f}: {ratios[-1]:.3f}    ({shown})", flush=True)
    print(f"median {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main()
