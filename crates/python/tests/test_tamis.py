"""The package as it is installed: the command line, runs, pipelines in the process, and stages in Python."""

import io
import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
import unittest.mock
from pathlib import Path

import tamis
import tamis._launch
import tamis._program

try:
    import pyarrow

    import tamis._arrow
except ImportError:
    pyarrow = None
    print("SKIPPED: no PyArrow", file=sys.stderr)

PAGE = """<html><head><meta charset="gb18030"><title>轮渡复航</title></head><body>
<nav>首页 新闻 体育</nav><article><h1>轮渡复航</h1>
<p>停航四周之后，开往群岛的轮渡周一早晨再次离开港口，船长说新发动机比旧的安静得多。</p>
<p>码头上站着两百多人，许多人带来了旗帜，孩子们在第一班船上唱起了歌。</p></article>
<footer>版权所有</footer></body></html>"""

PIPELINE = """
[[source]]
use = "jsonl"
paths = ["in"]

[[stage]]
use = "length"
min_chars = 20

[[export]]
use = "jsonl"
path = "out"
"""


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "in").mkdir()

    def pipeline(self, text=PIPELINE, n=100):
        with open(self.folder / "in" / "a.jsonl", "w", encoding="utf-8") as file:
            for i in range(n):
                file.write(json.dumps({"text": f"{i} " * (1 + i % 10 * 5), "n": i}) + "\n")
        path = self.folder / "p.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def kept(self):
        lines = []
        for part in sorted((self.folder / "out").glob("part-*.jsonl")):
            lines += part.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


class Commands(Folder):
    def test_the_console_script_is_the_command_line(self):
        script = os.path.join(os.path.dirname(sys.executable), "tamis")
        said = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
        self.assertRegex(said.stdout, r"^tamis \d")
        wrong = subprocess.run([script, "check", self.folder / "no.toml"], capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("no.toml", wrong.stderr)

    def test_a_run_tells_of_itself_and_returns_its_tally(self):
        events = []
        last = tamis.run(self.pipeline(), on_event=events.append)
        self.assertEqual(events[0]["event"], "started")
        self.assertEqual(events[-1], last)
        self.assertEqual(last["tally"]["kept"] + last["tally"]["dropped"], 100)
        self.assertEqual(len(self.kept()), last["tally"]["kept"])
        fewer = tamis.run(self.folder / "p.toml", settings={"stage.length.min_chars": 100}, fresh=True)
        self.assertLess(fewer["tally"]["kept"], last["tally"]["kept"])

    def test_mistakes_have_their_place(self):
        path = self.pipeline(PIPELINE.replace("min_chars", "min_char"))
        for command in (tamis.check, tamis.run):
            with self.assertRaises(tamis.Error) as caught:
                command(path)
            self.assertEqual(caught.exception.code, 2)
            self.assertIn("did you mean `min_chars`?", str(caught.exception))
            self.assertEqual(caught.exception.mistakes[0]["line"], 8)
        self.assertEqual(tamis.check(self.pipeline()), [])

    def test_a_plan_is_data(self):
        self.assertEqual(tamis.plan(self.pipeline())["name"], "p")

    @unittest.skipIf(os.name == "nt", "signals")
    def test_an_interrupt_ends_a_run_tidily_and_it_goes_on(self):
        slow = PIPELINE.replace(
            '[[stage]]\nuse = "length"',
            '[[stage]]\nuse = "exec"\ncommand = [%s]\nscript = "slow.py"\nbatch = 1\n\n[[stage]]\nuse = "length"'
            % json.dumps(sys.executable),
        )
        slow += "\n[run]\nthreads = 1\nblock_bytes = \"1 KiB\"\nmax_record_bytes = \"1 MiB\"\ncheckpoint_secs = 0.02\n"
        (self.folder / "slow.py").write_text(
            "import tamis, time\n@tamis.filter\ndef slow(document):\n    time.sleep(0.05)\ntamis.serve(slow)\n"
        )
        path = self.pipeline(slow)
        # All of it takes five seconds, wherever it runs.
        main = threading.main_thread().ident
        timer = threading.Timer(1.0, lambda: signal.pthread_kill(main, signal.SIGINT))
        self.addCleanup(timer.cancel)
        began = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            tamis.run(path, on_event=lambda event: event["event"] == "started" and timer.start())
        self.assertLess(time.monotonic() - began, 60)
        last = tamis.run(path)
        self.assertEqual(last["tally"]["kept"] + last["tally"]["dropped"], 100)
        self.assertEqual(last["tally"]["failed"], 0)


class InTheProcess(Folder):
    def test_a_page_is_extracted_from_bytes_and_from_text(self):
        for page in (PAGE.encode("gb18030"), PAGE):
            found = tamis.extract(page, url="https://harbour.example/1")
            self.assertIn("船长说新发动机", found["text"])
            self.assertNotIn("版权所有", found["text"])
            self.assertEqual(found["metadata"]["title"], "轮渡复航")
        self.assertTrue(tamis.extract(PAGE, markdown=True)["text"].startswith("# 轮渡复航"))

    def test_documents_pass_the_stages_in_order(self):
        pipeline = tamis.Pipeline(text='[[stage]]\nuse = "length"\nmin_chars = 5\n')
        self.assertEqual(pipeline.stages, ["length"])
        texts = ["long enough"] * 300 + ["no"]
        records = pipeline.process([{"text": text, "metadata": {"n": [i]}} for i, text in enumerate(texts)])
        self.assertEqual([it["metadata"]["n"][0] for it in records], list(range(301)))
        self.assertEqual([it["fate"] for it in records], ["kept"] * 300 + ["dropped"])
        self.assertEqual((records[-1]["stage"], records[-1]["reason"]), ("length", "too-short"))
        with self.assertRaisesRegex(ValueError, "unknown member `txt`"):
            pipeline.process([{"txt": "a"}])

    def test_a_corpus_stage_judges_among_the_documents_of_a_call(self):
        pipeline = tamis.Pipeline(text='[[stage]]\nuse = "dedup-exact"\n')
        for _ in range(2):
            fates = [it["fate"] for it in pipeline.process([{"text": "one"}, {"text": "one"}, {"text": "two"}])]
            self.assertEqual(fates, ["kept", "dropped", "kept"])

    def test_a_pipeline_with_a_mistake_is_a_value_error(self):
        with self.assertRaisesRegex(ValueError, "did you mean `length`"):
            tamis.Pipeline(text='[[stage]]\nuse = "lenght"\n')

    @unittest.skipIf(pyarrow is None, "no PyArrow")
    def test_arrow_goes_in_and_comes_out(self):
        pipeline = tamis.Pipeline(text='[[stage]]\nuse = "length"\nmin_chars = 5\n')
        batch = pyarrow.record_batch(
            {
                "id": pyarrow.array(["a", "b"], pyarrow.large_string()),
                "text": ["long enough", "no"],
                "url": ["https://a.example", None],
                "score": pyarrow.array([0.2, 0.5], pyarrow.float32()),
            }
        )
        out = pyarrow.record_batch(pipeline.process(batch)).to_pydict()
        self.assertEqual(out["id"], ["a", "b"])
        self.assertEqual(out["fate"], ["kept", "dropped"])
        self.assertEqual(json.loads(out["metadata"][0]), {"url": "https://a.example", "score": 0.2})
        table = pyarrow.Table.from_batches([batch, batch.slice(1)])
        self.assertEqual([pyarrow.record_batch(it).num_rows for it in pipeline.process(table)], [2, 1])
        with self.assertRaisesRegex(ValueError, "column `text`"):
            pipeline.process(pyarrow.record_batch({"text": pyarrow.array([1])}))

    def test_other_threads_go_on_meanwhile(self):
        pipeline = tamis.Pipeline(text='[[stage]]\nuse = "boilerplate"\n')
        ticks, done = 0, threading.Event()

        def work():
            pipeline.process([{"text": "Some words of a page.\n" * 200}] * 300)
            done.set()

        threading.Thread(target=work).start()
        while not done.wait(0.001):
            ticks += 1
        self.assertGreater(ticks, 2)


SHARDED = """
[[source]]
use = "jsonl"
paths = ["in"]

[[stage]]
use = "dedup-exact"

[[stage]]
use = "dedup-near"

[[stage]]
use = "line-template"
group_by = "site"

[[export]]
use = "jsonl"
path = "out"

[run]
threads = 1
"""


def commands():
    """The processes of this machine: number, number of the parent, command line."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        yield int(entry.name), parent, line


def tasks_in(output):
    """The tasks that write below a folder: number, number of the parent, segment, shard."""
    for pid, parent, line in commands():
        named = re.search(r"-o (\S+) --segment (\d+) .*--shard (\d+)/", line)
        if named and named[1] == str(output):
            yield pid, parent, int(named[2]), int(named[3])


class Killer(threading.Thread):
    """Kills the worker of an engine that runs shard 1, once in each segment, while its task is under way."""

    def __init__(self, output, worker):
        super().__init__(daemon=True)
        self.output, self.worker, self.ended = output, worker, threading.Event()
        self.killed, self.tasks = {}, {}

    def run(self):
        while not self.ended.wait(0.001):
            for pid, parent, segment, shard in tasks_in(self.output):
                if shard != 1:
                    continue
                self.tasks.setdefault(segment, set()).add(pid)
                if segment in self.killed:
                    continue
                line = next((line for number, _, line in commands() if number == parent), "")
                if self.worker in line:
                    os.kill(parent, signal.SIGKILL)
                    self.killed[segment] = line


class Launching(Folder):
    """One pipeline in one run, and in shards wherever they may be run: the same documents, in the same order."""

    def setUp(self):
        super().setUp()
        (self.folder / "p.toml").write_text(SHARDED)
        for file in range(6):
            with open(self.folder / "in" / f"{file}.jsonl", "w") as lines:
                for i in range(120):
                    n = (file * 120 + i) * 7 % 400
                    words = " ".join(str(n * j % 997) for j in range(60))
                    text = f"{words}{'.' * (i % 2)}\nShare this page"
                    lines.write(json.dumps({"text": text, "site": f"s{n % 3}"}) + "\n")
        self.whole = tamis.run(self.folder / "p.toml")["tally"]
        self.expected = self.lines("out")
        self.assertTrue(50 < len(self.expected) < 500, len(self.expected))

    def lines(self, folder):
        parts = sorted((self.folder / folder).glob("**/part-*.jsonl"))
        return [line for part in parts if "__" not in str(part) for line in part.read_text().splitlines()]

    def check(self, folder, runner=None, log=lambda _: None):
        merged = tamis.launch(self.folder / "p.toml", self.folder / folder, shards=3, runner=runner, log=log)
        self.assertEqual(self.lines(folder), self.expected)
        for count in ("read", "kept", "failed"):
            self.assertEqual(merged["tally"][count], self.whole[count], count)

    def test_on_threads(self):
        self.check("threads")

    def test_a_task_that_is_killed_is_run_again(self):
        killed = set()

        def runner(tasks):
            for task in tasks:
                if task.shard == 1 and task.segment not in killed:
                    killed.add(task.segment)
                    process = subprocess.Popen([sys.executable, "-m", "tamis", *task.arguments])
                    time.sleep(0.05)
                    process.kill()
                    self.assertEqual(process.wait(), -signal.SIGKILL)
                else:
                    yield tamis._launch.run_task(task)

        self.check("killed", runner)
        self.assertEqual(killed, {0, 1, 2, 3, 4})

    def test_a_launch_that_was_broken_off_goes_on(self):
        def breaks_off(tasks):
            for task in tasks:
                if task.segment == 4 and task.shard > 0:
                    raise KeyboardInterrupt
                yield tamis._launch.run_task(task)

        with self.assertRaises(KeyboardInterrupt):
            self.check("broken", breaks_off)
        self.check("broken")

    @unittest.skipUnless(sys.platform == "linux", "SKIPPED: only Linux ends a process with its parent")
    def test_what_a_killed_worker_has_started_ends_with_it(self):
        output = self.folder / "orphan"
        arguments = ("run", str(self.folder / "p.toml"), "--quiet", "-o", str(output), "--segment", "0", "--shard", "0/1")
        # Slow enough to be there when its parent is killed.
        with open(self.folder / "in" / "more.jsonl", "w") as lines:
            lines.writelines(json.dumps({"text": f"text {n}", "site": "s"}) + "\n" for n in range(50_000))
        slow = (*arguments, "--set", "run.block_bytes=1024")
        program = f"from tamis import _launch; _launch.run_task(_launch.Task(0, 0, {slow!r}))"
        worker = subprocess.Popen([sys.executable, "-c", program])
        while not list(output.glob("**/manifest.json")):
            self.assertIsNone(worker.poll())
            time.sleep(0.001)
        worker.kill()
        self.assertEqual(worker.wait(), -signal.SIGKILL)
        # It would be refused if anybody were still writing there.
        result = tamis._launch.run_task(tamis._launch.Task(0, 0, slow))
        self.assertEqual((result.code, result.said), (0, ""))

    def check_killed_workers(self, folder, runner, worker):
        """Workers of an engine are killed in the middle, one in each segment: the same documents."""
        killer = Killer(self.folder / folder, worker)
        killer.start()
        try:
            self.check(folder, runner)
        finally:
            killer.ended.set()
            killer.join()
        self.assertEqual(set(killer.killed), {0, 1, 2, 3, 4}, killer.killed)
        # What was killed was at work: somebody else has had to run the task.
        for segment, pids in killer.tasks.items():
            self.assertGreater(len(pids), 1, f"segment {segment}: {killer.killed}")

    def check_killed_driver(self, folder, command):
        """The program that launches is killed in the middle, and started again: the same documents."""
        output = self.folder / folder
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(driver.kill)
        while not any(segment == 2 for _, _, segment, _ in tasks_in(output)):
            self.assertIsNone(driver.poll(), "it has ended before anybody killed it")
            time.sleep(0.001)
        driver.kill()
        self.assertEqual(driver.wait(), -signal.SIGKILL)
        self.assertFalse((output / ".tamis" / "manifest.json").exists())
        # What it had started ends with it, an engine of its own included.
        deadline = time.monotonic() + 60
        while any(tasks_in(output)):
            self.assertLess(time.monotonic(), deadline, "its tasks are still there")
            time.sleep(0.05)
        again = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.lines(folder), self.expected)
        merge = [*tamis._program.command(), "merge", output, "--json"]
        tally = json.loads(subprocess.run(merge, capture_output=True, check=True).stdout)["tally"]
        for count in ("read", "kept", "failed"):
            self.assertEqual(tally[count], self.whole[count], count)

    @unittest.skipUnless(sys.platform == "linux", "SKIPPED: processes are found in /proc")
    def test_a_driver_that_is_killed_is_started_again(self):
        program = f"import tamis; tamis.launch({str(self.folder / 'p.toml')!r}, {str(self.folder / 'driver')!r}, shards=3)"
        self.check_killed_driver("driver", [sys.executable, "-c", program])

    @unittest.skipUnless(sys.platform == "linux", "SKIPPED: processes are found in /proc")
    def test_a_driver_on_ray_that_is_killed_is_started_again(self):
        self.on_ray()
        # That it starts is known now; the driver starts one of its own.
        import ray

        ray.shutdown()
        pipeline, output = str(self.folder / "p.toml"), str(self.folder / "driver")
        self.check_killed_driver(
            "driver", [sys.executable, "-m", "tamis.ray", pipeline, "-o", output, "--shards", "3"]
        )

    @unittest.skipUnless(sys.platform == "linux", "SKIPPED: processes are found in /proc")
    def test_workers_of_ray_that_are_killed(self):
        self.check_killed_workers("ray", self.on_ray(), "ray::")

    @unittest.skipUnless(sys.platform == "linux", "SKIPPED: processes are found in /proc")
    def test_workers_of_spark_that_are_killed(self):
        self.check_killed_workers("spark", self.on_spark(), "pyspark.daemon")

    def test_what_an_engine_says_of_a_task_is_told(self):
        from tamis import spark

        class Broken:
            def range(self, *_):
                return self

            mapInPandas = range

            def collect(self):
                from pyspark.errors import PySparkException

                raise PySparkException("No module named 'tamis'\n" + "frame\n" * 100)

        self.on_sail()
        said = "shards 0,1,2 failed 3 times; shard 0 said: No module named 'tamis'"
        broken = spark.runner(Broken())
        with self.assertRaisesRegex(tamis.Error, said) as caught:
            # Without `reduce`, as nothing comes to that.
            tamis.launch(self.folder / "p.toml", self.folder / "x", shards=3, runner=lambda tasks: broken(tasks))
        self.assertEqual(caught.exception.code, 3)
        self.assertLess(len(str(caught.exception).splitlines()), 30)

    def test_a_task_that_always_fails_is_told(self):
        calls = []

        def runner(tasks):
            calls.append(len(tasks))
            return [tamis._launch.Result(task.shard, 3 if task.shard == 2 else 0, "no space", 0.0) for task in tasks]

        with self.assertRaisesRegex(tamis.Error, "shards 2 failed 3 times; shard 2 said: no space"):
            tamis.launch(self.folder / "p.toml", self.folder / "x", shards=3, runner=runner)
        self.assertEqual(calls, [3, 1, 1])

    def test_on_ray(self):
        self.check("ray", self.on_ray())

    def on_ray(self):
        """A runner on a Ray of this machine."""
        try:
            import ray
        except ImportError:
            self.skipTest("SKIPPED: no Ray")
        from tamis.ray import runner

        # Its workers would give way to all that runs here.
        os.environ.setdefault("RAY_worker_niceness", "0")
        self.addCleanup(ray.shutdown)
        try:
            return runner(cpus=1)
        except Exception as error:  # What a machine without shared memory or free ports says.
            self.skipTest(f"SKIPPED: Ray does not start here: {error}")

    def on_spark(self):
        """A runner on a Spark of this machine."""
        try:
            import pyspark
            from pyspark.sql import SparkSession
        except ImportError:
            self.skipTest("SKIPPED: no Spark")
        if not (Path(pyspark.__file__).parent / "jars").exists():
            self.skipTest("SKIPPED: no Spark, only its client")
        from tamis import spark

        # That of its workers, which would else be the first of the path.
        os.environ["PYSPARK_PYTHON"] = sys.executable
        # A task may fail three times.
        session = SparkSession.builder.remote("local[2,4]").getOrCreate()
        self.addCleanup(session.stop)
        return spark.runner(session)

    def test_on_spark(self):
        said = []
        self.check("spark", self.on_spark(), said.append)
        self.check_thinned(said)

    def test_groups_over_many_keys_are_those_that_hang_together(self):
        runner, _ = self.on_sail()
        from tamis import _keys

        # Chains of documents, each tied to the next by a key of its own, over all shards and in no order.
        chance, chains = random.Random(7), [1, 2, 3, 17, 64]
        documents = list(range(1, sum(chains) + 1))
        chance.shuffle(documents)
        groups = [[documents.pop() for _ in range(length)] for length in chains]
        rows = [[], [], []]
        for group in groups:
            for key, pair in enumerate(zip(group, group[1:] or group)):
                for document in pair:
                    row = (1000 * group[0] + key).to_bytes(8, "big") + document.to_bytes(16, "big")
                    rows[document % 3].append(row)
        round = {"name": "x", "key": ["u64"], "columns": [], "reduce": {"groups": {"edges": 1}}, "ids": False}
        for shard, of_shard in enumerate(rows):
            (self.folder / "rows").write_bytes(b"".join(sorted(set(of_shard))))
            _keys.write(str(self.folder / "rows"), round, shard, str(self.folder / "tables"))
        left, n_rows = str(self.folder / "left"), sum(len(set(of_shard)) for of_shard in rows)
        runner.reduce(str(self.folder / "tables"), round, n_rows, left)
        n_left = _keys.read(left, str(self.folder / "tables"), round, str(self.folder / "rows"))
        bytes = (self.folder / "rows").read_bytes()
        found = {}
        for at in range(0, len(bytes), 24):
            found.setdefault(bytes[at : at + 8], []).append(int.from_bytes(bytes[at + 8 : at + 24], "big"))
        self.assertEqual(sorted(map(sorted, found.values())), sorted(sorted(it) for it in groups if len(it) > 1))
        self.assertEqual(n_left, sum(length for length in chains if length > 1))

    def on_sail(self):
        """A runner on a server of Spark Connect, and the bytes a document that it has shuffled in each round."""
        try:
            import pyarrow  # noqa: F401
            from pysail.spark import SparkConnectServer
            from pyspark.sql import SparkSession
        except ImportError:
            self.skipTest("SKIPPED: no Sail")
        from tamis import _keys, spark

        server = SparkConnectServer()
        server.start(background=True)
        self.addCleanup(server.stop)
        session = SparkSession.builder.remote(f"sc://localhost:{server.listening_address[1]}").getOrCreate()
        self.addCleanup(session.stop)
        runner, shuffled = spark.runner(session), {}
        reduce = runner.reduce

        def counting(tables, round, n_rows, out):
            shuffled[round["name"]] = n_rows * _keys.Layout.of(round).shuffled / 720
            reduce(tables, round, n_rows, out)

        runner.reduce = counting
        return runner, shuffled

    def check_thinned(self, said, passes=1):
        """The line counts have gone through the engine, and most have stayed behind."""
        counts = [re.fullmatch(r"entries: (\d+) rows of 24 bytes, (\d+) left", line) for line in said]
        counts = [tuple(map(int, found.groups())) for found in counts if found]
        self.assertEqual(len(counts), passes, said)
        for n_rows, n_left in counts:
            self.assertTrue(0 < n_left < n_rows / 2, said)
        merged = [line for line in said if "merged what line-template has learned" in line]
        self.assertEqual(len(merged), passes, said)
        self.assertFalse(any("without the engine" in line for line in merged), said)

    def with_clusters(self):
        """The same documents, whose groups are told by their lines: a pass more."""
        text = SHARDED.replace('group_by = "site"', "cluster = true\nmin_shared_lines = 1")
        (self.folder / "p.toml").write_text(text)
        for path in (self.folder / "in").iterdir():
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            for line in lines:
                menu = "".join(f"\nmenu {name} of {line['site']}" for name in ("harbour", "weather", "letters"))
                line["text"] += menu.replace("s0", "gulls").replace("s1", "terns").replace("s2", "crows")
            path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        shutil.rmtree(self.folder / "out")
        self.whole = tamis.run(self.folder / "p.toml")["tally"]
        self.expected = self.lines("out")
        self.assertTrue(50 < len(self.expected) < 500, len(self.expected))
        # All of the menus were learned in the second pass.
        self.assertFalse(any("menu" in line for line in self.expected))

    def test_lines_of_clusters_on_a_server_of_spark_connect(self):
        self.with_clusters()
        runner, _ = self.on_sail()
        said = []
        self.check("sail", runner, said.append)
        self.check_thinned(said, passes=2)

    def test_lines_of_clusters_on_threads(self):
        self.with_clusters()
        said = []
        self.check("threads", log=said.append)
        self.assertFalse(any("entries" in line for line in said), said)

    def test_a_task_that_thins_a_state_is_killed_and_run_again(self):
        runner, _ = self.on_sail()
        folder, said = self.folder, []

        def killing(task):
            mark = folder / f"killed-{task.shard}"
            if task.thinned is None or task.shard == 0 or mark.exists():
                return tamis._launch.run_task(task)
            # Killed while it works: it stands before its first look at what the engine has left, or behind its last file.
            early, late = "_batches", "os.replace"
            program = (
                "import os, time, pickle, sys; from tamis import _keys, _launch\n"
                "def stop(*_):\n    print('here', flush=True); time.sleep(600)\n"
                f"{'_keys.' + early if task.shard == 1 else late} = stop\n"
                "_launch.run_task(pickle.load(sys.stdin.buffer))\n"
            )
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            process = subprocess.Popen([sys.executable, "-c", program], **pipes)
            process.stdin.write(pickle.dumps(task))
            process.stdin.close()
            reached = process.stdout.readline()
            process.kill()
            code = process.wait()
            process.stdout.close()
            there = os.path.exists(task.thinned.out)
            mark.write_text(f"{reached.decode().strip()} {code} {there}")
            return tamis._launch.Result(task.shard, code, "killed", 0.0)

        with unittest.mock.patch("tamis.spark.run_task", killing):
            self.check("sail", runner, said.append)
        self.check_thinned(said)
        # What was killed had not written the state under its name, not even behind its last file.
        for shard in (1, 2):
            self.assertEqual((folder / f"killed-{shard}").read_text(), f"here {-signal.SIGKILL} False")
            self.assertTrue(any(line.startswith(f"shard {shard} ended with {-signal.SIGKILL}") for line in said), said)
        left = [str(path) for path in (folder / "sail").rglob("*") if "__keys" in str(path) or "marks" in path.name]
        self.assertEqual(left, [])

    def test_a_driver_that_is_killed_between_shuffling_and_merging_is_started_again(self):
        self.on_sail()
        # The first one is killed when all states are thinned, and none is merged; the second one goes on.
        program = textwrap.dedent(
            f"""
            import os, signal, sys
            import tamis
            from tamis import _launch, spark
            from pysail.spark import SparkConnectServer
            from pyspark.sql import SparkSession

            server = SparkConnectServer()
            server.start(background=True)
            session = SparkSession.builder.remote(f"sc://localhost:{{server.listening_address[1]}}").getOrCreate()
            merge = _launch._merge_states

            def merging(pipeline, saved, state, *more):
                if "line-template" in state and "first" in sys.argv:
                    assert all(os.path.exists(path) and "__keys-" in path for path in saved), saved
                    os.kill(os.getpid(), signal.SIGKILL)
                merge(pipeline, saved, state, *more)

            _launch._merge_states = merging
            tamis.launch(
                {str(self.folder / "p.toml")!r},
                {str(self.folder / "driver")!r},
                shards=3,
                runner=spark.runner(session),
                log=lambda line: print(line, flush=True),
            )
            """
        )
        # A file, or the client would look for an installation of Spark.
        (self.folder / "driver.py").write_text(program)
        command = [sys.executable, self.folder / "driver.py"]
        # What the session of this process has put there is not for theirs.
        environment = {name: value for name, value in os.environ.items() if "SPARK" not in name}
        settings = {"capture_output": True, "text": True, "env": environment}
        first = subprocess.run([*command, "first"], **settings)
        self.assertEqual(first.returncode, -signal.SIGKILL, first.stderr)
        self.assertIn("rows of 24 bytes", first.stdout)
        tables = list((self.folder / "driver").glob("__keys-line-template*/shard-*.state"))
        self.assertEqual(len(tables), 3)
        again = subprocess.run(command, **settings)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.check_thinned(again.stdout.splitlines())
        self.assertEqual(self.lines("driver"), self.expected)
        self.assertEqual(list((self.folder / "driver").glob("__keys*")), [])

    def test_what_an_engine_has_left_must_be_seen_by_all_machines(self):
        self.on_sail()
        from tamis import _keys

        keys = _keys.Keys("p.toml", (), str(self.folder / "state"), 1, str(self.folder / "tables"))
        thinned = _keys.Thinned(keys, str(self.folder / "elsewhere"), 9, 4, str(self.folder / "out.state"))
        result = tamis._launch.run_task(tamis._launch.Task(0, 1, (), thinned=thinned))
        self.assertEqual(result.code, 3)
        self.assertIn("0 of 4 rows of shard 1 are in", result.said)

    def test_shards_of_two_kinds_are_not_mixed(self):
        from tamis import _keys

        for shard, tallied in enumerate([None, {"name": "entries"}]):
            said = {"rows": 1, "round": None, "tallied": tallied}
            (self.folder / f"shard-{shard:05}.json").write_text(json.dumps(said))
        with self.assertRaisesRegex(tamis.Error, "the rows of shards 0 and 1 .* are of two kinds"):
            _keys.left(str(self.folder), 2)

    def test_on_a_server_of_spark_connect(self):
        runner, shuffled = self.on_sail()
        said = []
        self.check("sail", runner, said.append)
        self.check_thinned(said)
        self.assertEqual(set(shuffled), {"texts", "candidates"})
        self.assertLessEqual(shuffled["texts"], 24)
        self.assertTrue(50 < shuffled["candidates"] <= 300, shuffled)

    def test_folds_on_a_server_of_spark_connect(self):
        text = SHARDED.replace('use = "dedup-exact"\n', 'use = "dedup-exact"\nunit = "paragraphs"\nmin_chars = 5\n')
        (self.folder / "p.toml").write_text(text + '\n[[stage]]\nuse = "dedup-spans"\nmin_chars = 40\n')
        shutil.rmtree(self.folder / "out")
        self.whole = tamis.run(self.folder / "p.toml")["tally"]
        self.expected = self.lines("out")
        runner, shuffled = self.on_sail()
        self.check("sail", runner)
        self.assertIn("parts", shuffled)

    def test_a_task_that_is_killed_under_an_engine_is_run_again(self):
        runner, _ = self.on_sail()
        folder = self.folder

        def killing(task):
            # A file and no set: the engine has a copy of this function.
            mark = folder / f"killed-{task.segment}"
            if task.shard != 1 or mark.exists():
                return tamis._launch.run_task(task)
            process = subprocess.Popen([*tamis._program.command(), *task.arguments])
            time.sleep(0.02)
            process.kill()
            code = process.wait()
            mark.write_text(str(code))
            return tamis._launch.Result(task.shard, code, "killed", 0.0)

        with unittest.mock.patch("tamis.spark.run_task", killing):
            self.check("sail", runner)
        codes = [(folder / f"killed-{segment}").read_text() for segment in range(5)]
        self.assertEqual(codes, [str(-signal.SIGKILL)] * 5)


class Stages(Folder):
    def test_functions_are_stages(self):
        (self.folder / "f.py").write_text(
            textwrap.dedent(
                """
                import tamis

                @tamis.extractor
                def shout(document, options):
                    if document.metadata["n"] == 7:
                        raise ValueError("seven")
                    document.metadata["mark"] = options["mark"]
                    document.count("shouted")
                    return document.text.upper()

                tamis.serve(shout)
                """
            )
        )
        stage = (
            f'[[stage]]\nuse = "exec"\ncommand = [{json.dumps(sys.executable)}]\nscript = "f.py"\n'
            'options = { mark = "x" }\n\n[[export]]'
        )
        text = PIPELINE.replace("[[export]]", stage) + "\n[run]\nmax_failed_ratio = 1\n"
        last = tamis.run(self.pipeline(text))
        self.assertTrue(all(it["metadata"]["mark"] == "x" for it in self.kept()))
        self.assertEqual(last["tally"]["kept"], len(self.kept()))
        self.assertLessEqual(last["tally"]["failed"], 1)

    @unittest.skipIf(pyarrow is None, "no PyArrow")
    def test_functions_are_stages_of_record_batches(self):
        @tamis.extractor
        def shout(document, options):
            n = document.metadata["n"]
            if n == 1:
                raise ValueError("one")
            if n == 2:
                document.drop("two")
            if n == 3:
                document.metadata["list"].append(4)
                document.metadata.pop("n")
                document.split("a part", {"of": 3})
                document.count("threes")
            if n == 4:
                document.metadata["bad"] = float("nan")
            if n == 5:
                document.text = "half a pair: \ud800"
            return document.text.upper() if n == 6 else None

        @tamis.filter
        def short(document):
            return len(document.text) < 9 or "long"

        text = pyarrow.large_string()
        metadata = [json.dumps({"n": n, "list": [1]}) for n in range(7)]
        batch = pyarrow.record_batch(
            {
                "id": pyarrow.array([f"d{n}" for n in range(7)], text),
                "text": pyarrow.array(["short", "a longer text"] * 3 + ["x"], text),
                "metadata": pyarrow.array(metadata, text),
            }
        )

        def said(stage):
            asked = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(asked, batch.schema) as writer:
                writer.write_batch(batch)
            answered = io.BytesIO()
            tamis._arrow.serve_batches(stage, {}, io.BytesIO(asked.getvalue().to_pybytes()), answered)
            rows = pyarrow.ipc.open_stream(io.BytesIO(answered.getvalue())).read_all().to_pylist()
            return [{name: value for name, value in row.items() if value is not None} for row in rows]

        answers = said(shout)
        self.assertEqual([it["id"] for it in answers], [f"d{n}" for n in range(7)])
        self.assertEqual(answers[0], {"id": "d0"})
        self.assertRegex(answers[1]["fail"], r"^ValueError: one \(test_tamis.py, line \d+\)$")
        self.assertEqual(answers[2], {"id": "d2", "drop": "two"})
        self.assertEqual(json.loads(answers[3]["metadata"]), {"list": [1, 4], "n": None})
        self.assertEqual(json.loads(answers[3]["split"]), [{"text": "a part", "metadata": {"of": 3}}])
        self.assertEqual(json.loads(answers[3]["counts"]), {"threes": 1})
        self.assertIn("cannot be written", answers[4]["fail"])
        self.assertIn("cannot be written", answers[5]["fail"])
        self.assertEqual(answers[6], {"id": "d6", "text": "X"})
        self.assertEqual([it.get("drop") for it in said(short)], [None, "long", None, "long", None, "long", None])

    def served(self, program, texts):
        """What a program answers about documents, sent as the stage sends them."""
        (self.folder / "f.py").write_text(textwrap.dedent(program))
        asked = [{"tamis": 1, "options": {}}, {"batch": len(texts)}]
        asked += [{"id": f"d{n}", "text": text, "metadata": {}} for n, text in enumerate(texts)]
        ran = subprocess.run(
            [sys.executable, str(self.folder / "f.py")],
            input="".join(json.dumps(it) + "\n" for it in asked),
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual(ran.returncode, 0, ran.stderr)
        hello, *answers = map(json.loads, ran.stdout.splitlines())
        self.assertEqual(hello, {"tamis": 1})
        return answers

    def test_what_a_function_reads_and_prints_is_not_between_documents(self):
        program = """
            import subprocess
            import sys

            import tamis

            @tamis.filter
            def nosy(document):
                print("said")
                subprocess.run(["cat"], check=True)
                return sys.stdin.read() or f"{len(document.text)} characters"

            tamis.serve(nosy)
        """
        # More than a pipe and what Python reads ahead hold together.
        answers = self.served(program, [letter * 60_000 for letter in "abc"])
        self.assertEqual([it["drop"] for it in answers], ["60000 characters"] * 3)

    def test_what_is_no_text_costs_its_document(self):
        program = """
            import tamis

            @tamis.extractor
            def odd(document):
                if document.text == "none":
                    document.text = None
                if document.text == "reason":
                    document.drop(5)
                if document.text == "part":
                    document.split(None)
                if document.text == "good":
                    document.text = "better"

            tamis.serve(odd)
        """
        answers = self.served(program, ["none", "reason", "part", "good"])
        self.assertEqual(answers[0], {"id": "d0", "fail": "TypeError: the text of a document is a string, not NoneType"})
        self.assertRegex(answers[1]["fail"], r"^TypeError: a reason is a string, not int \(f.py, line 9\)$")
        self.assertIn("the text of a part is a string, not NoneType", answers[2]["fail"])
        self.assertEqual(answers[3], {"id": "d3", "text": "better"})

    def test_a_function_can_still_be_called(self):
        @tamis.filter
        def short(document):
            return len(document.text) < 3

        self.assertTrue(short(tamis.Document({"id": "a", "text": "ab", "metadata": {}})))
        with self.assertRaises(TypeError):
            tamis.serve(len)


if __name__ == "__main__":
    unittest.main()
