"""What corpus stages have seen, as tables that an engine can reduce: keys and a few numbers, and no text.

A shard leaves the rows of a state as one Parquet file. The key of a row and each of its columns are 64-bit numbers in the order
of their bytes; the document that a row is about is the number of its shard and its rank among the documents of the shard, which
its machine keeps beside: 8 bytes instead of 16, since every byte here is shuffled. An engine leaves those rows out that decide
nothing, or folds them (`reduced`), and what is left is reduced by `tamis state merge`, as if the shards had seen nothing else.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import subprocess
import uuid
from typing import Any, Iterator, Optional, Sequence

from tamis._program import command
from tamis._run import Error

POSITION = 16
"""Bytes of a position."""

WORD = 8
"""Bytes of a number."""

LEFT = "left"
"""The folder of what an engine has left of the tables, in the one that it is given."""

RANK_BITS = 40
"""Bits for the rank of a document in its shard, below the number of the shard; for that of an entry and the bit of several."""


@dataclasses.dataclass(frozen=True)
class Keys:
    """What a task leaves of its state, beside running: a table in `folder`."""

    pipeline: str
    settings: tuple[str, ...]
    state: str
    shard: int
    folder: str


@dataclasses.dataclass(frozen=True)
class Thinned:
    """A tallied state of which a task keeps the entries that an engine has left in `folder`, in the file `out`."""

    keys: Keys
    folder: str
    n_rows: int
    n_left: int
    out: str


@dataclasses.dataclass(frozen=True)
class Left:
    """What the shards have left for an engine."""

    round: Optional[dict[str, Any]]
    """What the rows are of; nothing if they are for this machinery alone, or of a state that is tallied."""
    tallied: Optional[dict[str, Any]]
    """What the rows of a state that is tallied are."""
    rows: tuple[int, ...]
    """How many, of each shard."""

    @property
    def n_rows(self) -> int:
        return sum(self.rows)


@dataclasses.dataclass(frozen=True)
class Layout:
    """What the rows of a round look like; the names of their columns in a table."""

    key_width: int
    widths: tuple[int, ...]
    flips: tuple[bool, ...]
    folds: Optional[tuple[str, ...]]

    @classmethod
    def of(cls, round: dict[str, Any]) -> Layout:
        reduce = round["reduce"]
        folds = tuple(reduce["fold"]) if isinstance(reduce, dict) and "fold" in reduce else None
        widths = tuple(_width(column) for column in round["columns"])
        # Unsigned bytes as signed numbers in their order; but what is summed must be the number that it is.
        flips = tuple(of != ("u64", "sum") for of in zip(round["columns"], folds or ("min",) * len(widths)))
        return cls(sum(_width(column) for column in round["key"]), widths, flips, folds)

    @property
    def row_width(self) -> int:
        return self.key_width + sum(self.widths) + (0 if self.folds else POSITION)

    @property
    def shuffled(self) -> int:
        """Bytes of a row in the tables of an engine."""
        columns = sum(max(width, WORD) for width in self.widths)
        return WORD * len(self.keys) + columns + (0 if self.folds else WORD)

    @property
    def keys(self) -> list[str]:
        return [f"k{place}" for place in range(-(-self.key_width // WORD))]

    @property
    def columns(self) -> list[str]:
        return [f"c{place}" for place in range(len(self.widths))]


def _width(column: Any) -> int:
    if isinstance(column, dict):
        return int(column["bytes"])
    return {"u32": 4, "u64": 8, "i64": 8, "f64": 8, "position": POSITION}[column]


def leave(keys: Keys) -> Optional[str]:
    """Leaves the tables of the state of a shard where an engine finds them; says what went wrong, if anything did."""
    if not os.path.exists(keys.state):
        # The shard has come to its end in an earlier launch, which has merged the states.
        return None
    passing = f"{keys.state}.rows-{uuid.uuid4().hex}"
    command_line = [*command(), "state", "rows", keys.pipeline, keys.state, "-o", passing, *keys.settings]
    try:
        done = subprocess.run(command_line, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode != 0:
            return done.stderr
        said = json.loads(done.stdout)
        os.makedirs(keys.folder, exist_ok=True)
        if said["round"] is not None:
            write(passing, said["round"], keys.shard, keys.folder)
        elif said["tallied"] is not None:
            write_entries(passing, said["tallied"], keys.shard, keys.folder)
        _place(keys.folder, f"shard-{keys.shard:05}.json", lambda path: pathlib.Path(path).write_text(json.dumps(said)))
    finally:
        pathlib.Path(passing).unlink(missing_ok=True)
    return None


def left(folder: str, shards: int) -> Left:
    """What the shards have left in a folder."""
    said = [json.loads(pathlib.Path(folder, f"shard-{shard:05}.json").read_text()) for shard in range(shards)]
    for shard, it in enumerate(said):
        if (it["round"], it["tallied"]) != (said[0]["round"], said[0]["tallied"]):
            raise Error(f"the rows of shards 0 and {shard} in `{folder}` are of two kinds: another version has left some", 3)
    return Left(said[0]["round"], said[0]["tallied"], tuple(it["rows"] for it in said))


def write(rows: str, round: dict[str, Any], shard: int, folder: str) -> None:
    """Makes a table of the rows of a shard, whole or not at all: another attempt may be doing the same."""
    import numpy
    import pyarrow
    import pyarrow.parquet

    layout = Layout.of(round)
    table = numpy.fromfile(rows, dtype=numpy.uint8).reshape(-1, layout.row_width)
    fields = {}
    for name, start in zip(layout.keys, range(0, layout.key_width, WORD)):
        fields[name] = _numbers(table[:, start : min(start + WORD, layout.key_width)])
    at = layout.key_width
    for name, width, flips in zip(layout.columns, layout.widths, layout.flips):
        column = table[:, at : at + width]
        fields[name] = _binary(column) if width > WORD else _numbers(column, flips)
        at += width
    os.makedirs(folder, exist_ok=True)
    if layout.folds is None:
        positions = numpy.ascontiguousarray(table[:, at:]).view(f"S{POSITION}").ravel()
        known, ranks = numpy.unique(positions, return_inverse=True)
        fields["document"] = ranks.astype(numpy.int64) | (shard << RANK_BITS)
        _place(folder, f"shard-{shard:05}.positions", lambda path: known.tofile(path))
    whole = pyarrow.table(fields)
    _place(folder, f"shard-{shard:05}.parquet", lambda path: pyarrow.parquet.write_table(whole, path, compression="zstd"))


def write_entries(rows: str, tallied: dict[str, Any], shard: int, folder: str) -> None:
    """Makes a table of the entries of a shard, whole or not at all."""
    import numpy
    import pyarrow
    import pyarrow.parquet

    layout = Layout.of(tallied)
    table = numpy.fromfile(rows, dtype=numpy.uint8).reshape(-1, layout.row_width)
    fields = {}
    for name, start in zip(layout.keys, range(0, layout.key_width, WORD)):
        fields[name] = _numbers(table[:, start : min(start + WORD, layout.key_width)])
    counts = _numbers(table[:, layout.key_width :])
    fields["entry"] = (shard << RANK_BITS) | (numpy.arange(len(table), dtype=numpy.int64) << 1) | (counts > 1)
    whole = pyarrow.table(fields)
    os.makedirs(folder, exist_ok=True)
    _place(folder, f"shard-{shard:05}.parquet", lambda path: pyarrow.parquet.write_table(whole, path, compression="zstd"))


def entry_bytes(tallied: dict[str, Any]) -> int:
    """Bytes of a row in the table of the entries of a shard."""
    return WORD * (len(Layout.of(tallied).keys) + 1)


def shared(rows: Any, tallied: dict[str, Any]) -> Any:
    """A data frame of those rows of entries that more than one document has, over all shards: their shard and their number. It is
    one shuffle by key, and one of what is left of it, so that each shard finds its own."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    alike = f.count(f.lit(1)).over(Window.partitionBy(*Layout.of(tallied).keys))
    several = f.col("entry").bitwiseAND(1) == 1
    left = rows.withColumn("alike", alike).where(several | (f.col("alike") > 1))
    return left.select(f.shiftright("entry", RANK_BITS).cast("int").alias("shard"), "entry").repartition("shard")


def of_shard(folder: str, shard: int) -> str:
    """Where an engine leaves what is of one shard."""
    return os.path.join(folder, LEFT, f"shard={shard}")


def counted(folder: str, shard: int) -> int:
    """How many rows an engine has left for a shard."""
    import pyarrow.dataset

    path = of_shard(folder, shard)
    return pyarrow.dataset.dataset(path, format="parquet").count_rows() if os.path.isdir(path) else 0


def thin(thinned: Thinned) -> Optional[str]:
    """Writes a state without those of its entries that an engine has not left; says what went wrong, if anything did."""
    import numpy

    keys, shard = thinned.keys, thinned.keys.shard
    marks = numpy.zeros(thinned.n_rows, dtype=numpy.uint8)
    for batch in _batches(of_shard(thinned.folder, shard)):
        entries = batch.column("entry").to_numpy(zero_copy_only=False)
        marks[(entries & ((1 << RANK_BITS) - 1)) >> 1] = 1
    seen = int(marks.sum())
    if seen != thinned.n_left:
        of = f"{seen} of {thinned.n_left} rows of shard {shard} are in `{thinned.folder}`"
        return f"{of}: all machines must see the output folder"
    # Both lie where all goes in the end, with whatever an attempt that was killed has left.
    attempt = uuid.uuid4().hex
    rows, passing = f"{thinned.out}.marks-{attempt}", f"{thinned.out}-{attempt}"
    command_line = [*command(), "state", "keep", keys.pipeline, keys.state, "--rows", rows, "-o", passing, *keys.settings]
    try:
        marks.tofile(rows)
        done = subprocess.run(command_line, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode != 0:
            return done.stderr
        os.replace(passing, thinned.out)
    finally:
        pathlib.Path(rows).unlink(missing_ok=True)
    return None


def _place(folder: str, name: str, write: Any) -> None:
    passing = os.path.join(folder, f"_{name}-{uuid.uuid4().hex}")
    write(passing)
    os.replace(passing, os.path.join(folder, name))


def _numbers(bytes: Any, flips: bool = False) -> Any:
    """Big-endian bytes, at most 8 of them, as signed numbers; in their order if the sign is flipped."""
    import numpy

    words = numpy.zeros((len(bytes), WORD), dtype=numpy.uint8)
    words[:, : bytes.shape[1]] = bytes
    if flips:
        words[:, 0] ^= 0x80
    return words.view(">i8").ravel().astype(numpy.int64)


def _bytes(numbers: Any, width: int, flips: bool = False) -> Any:
    """What `_numbers` has made numbers of."""
    import numpy

    words = numbers.astype(">i8").view(numpy.uint8).reshape(-1, WORD).copy()
    if flips:
        words[:, 0] ^= 0x80
    return words[:, :width]


def _binary(bytes: Any) -> Any:
    import numpy
    import pyarrow

    width = bytes.shape[1]
    buffer = pyarrow.py_buffer(numpy.ascontiguousarray(bytes))
    fixed = pyarrow.Array.from_buffers(pyarrow.binary(width), len(bytes), [None, buffer])
    # Engines know no binary of a fixed width.
    return fixed.cast(pyarrow.binary())


def read(folder: str, tables: str, round: dict[str, Any], out: str) -> int:
    """Makes rows of what an engine has left of the tables in a folder, and writes them to a file; how many."""
    import numpy

    layout, n_rows = Layout.of(round), 0
    positions: dict[int, Any] = {}
    with open(out, "wb") as file:
        for batch in _batches(os.path.join(folder, LEFT)):
            column = {name: batch.column(name) for name in batch.schema.names}
            number = {
                name: values.to_numpy(zero_copy_only=False)
                for name, values in column.items()
                if str(values.type) == "int64"
            }
            parts = []
            for name, start in zip(layout.keys, range(0, layout.key_width, WORD)):
                parts.append(_bytes(number[name], min(WORD, layout.key_width - start)))
            for name, width, flips in zip(layout.columns, layout.widths, layout.flips):
                if width > WORD:
                    values = b"".join(column[name].to_pylist())
                    parts.append(numpy.frombuffer(values, dtype=numpy.uint8).reshape(-1, width))
                else:
                    parts.append(_bytes(number[name], width, flips))
            if layout.folds is None:
                parts.append(_positions(number["document"], tables, positions))
            file.write(numpy.concatenate(parts, axis=1).tobytes())
            n_rows += batch.num_rows
    return n_rows


def _positions(documents: Any, tables: str, known: dict[int, Any]) -> Any:
    import numpy

    found = numpy.empty((len(documents), POSITION), dtype=numpy.uint8)
    shards = documents >> RANK_BITS
    for shard in numpy.unique(shards):
        if shard not in known:
            path = os.path.join(tables, f"shard-{shard:05}.positions")
            known[shard] = numpy.memmap(path, dtype=numpy.uint8, mode="r").reshape(-1, POSITION)
        here = shards == shard
        found[here] = known[shard][documents[here] & ((1 << RANK_BITS) - 1)]
    return found


def _batches(path: str) -> Iterator[Any]:
    import pyarrow.dataset

    # Nothing that is left is no folder, with some engines.
    if os.path.isdir(path):
        yield from pyarrow.dataset.dataset(path, format="parquet").to_batches()


def reduced(rows: Any, round: dict[str, Any]) -> Any:
    """A data frame of those rows of another that decide something: with `fold` one for each key, else those of keys that are
    not alone. Either is one shuffle by key, and no code of a stage."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    layout = Layout.of(round)
    if layout.folds is not None:
        fold = {"sum": f.sum, "min": f.min, "max": f.max}
        folded = [fold[how](name).alias(name) for how, name in zip(layout.folds, layout.columns)]
        return rows.groupBy(*layout.keys).agg(*folded)
    alike = f.count(f.lit(1)).over(Window.partitionBy(*layout.keys))
    return rows.withColumn("alike", alike).where(f.col("alike") > 1).drop("alike")


def stored(rows: Any, path: str, by: Sequence[str] = ()) -> bool:
    """Writes a data frame to a folder that all see, in folders by the values of some columns; whether there is anything in it."""
    (rows.write.partitionBy(*by) if by else rows.write).parquet(path)
    # Nothing to write is nothing written on some engines, and must not be taken for what lies elsewhere.
    if os.path.isdir(path):
        return True
    if rows.isEmpty():
        return False
    raise Error(f"the engine has written nothing to `{path}`: its machines must see the output folder", 3)


def has_groups(round: dict[str, Any]) -> bool:
    """Whether the rows of a round say which documents belong together, and nothing else that an engine would have to keep."""
    layout = Layout.of(round)
    return isinstance(round["reduce"], dict) and "groups" in round["reduce"] and not layout.widths and layout.key_width >= WORD


def grouped(session: Any, rows: Any, round: dict[str, Any], folder: str) -> Optional[Any]:
    """A data frame of rows that say the same of groups as those of another, one for each document: its group is its key.
    Nothing if no document is in a group.

    Documents with one key are tied to the first of them. Then large and small stars take turns (Kiveris and others,
    "Connected Components in MapReduce and Beyond", 2014): in a large star the neighbours of a document that come behind it are
    tied to the first of all of them, in a small star those before it. What is left in the end is one tie from every document to
    the first of its group. The steps go to a folder, or an engine would begin each with all those before it.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    def first(of: str, by: Sequence[str]) -> Any:
        return f.min(of).over(Window.partitionBy(*by))

    def ties(ends: Any, later: Any, earlier: Any) -> Any:
        return ends.select(later.alias("later"), earlier.alias("earlier")).where("later > earlier")

    layout = Layout.of(round)
    later, earlier, least = f.col("later"), f.col("earlier"), f.col("least")
    path = os.path.join(folder, "edges")
    edges = ties(rows, f.col("document"), first("document", layout.keys)).distinct()
    if not stored(edges, path):
        return None
    edges = session.read.parquet(path)
    for step in itertools.count():
        both = edges.union(edges.select(earlier, later))
        seen = both.withColumn("least", f.least(first("earlier", ["later"]), later)).where("earlier > later")
        large = ties(seen, earlier, least).distinct()
        seen = large.withColumn("least", first("earlier", ["later"]))
        path = os.path.join(folder, f"step-{step}")
        stored(ties(seen, earlier, least).union(ties(seen, later, least)).distinct(), path)
        edges = session.read.parquet(path)
        n_edges, n_later = edges.agg(f.count("later"), f.countDistinct("later")).collect()[0]
        ends = edges.select(earlier.alias("later")).join(edges.select("later"), "later", "left_semi")
        if n_edges == n_later and ends.isEmpty():
            break
    members = edges.select(earlier.alias("k0"), later.alias("document"))
    firsts = edges.select(earlier.alias("k0"), earlier.alias("document")).distinct()
    whole = members.union(firsts)
    for name in layout.keys[1:]:
        whole = whole.withColumn(name, f.lit(0).cast("long"))
    return whole


def check(session: Any, folder: str, n_rows: int) -> Any:
    """The tables of all shards as a data frame, which must have all their rows."""
    tables = sorted(map(str, pathlib.Path(folder).glob("shard-*.parquet")))
    rows = session.read.parquet(*tables)
    there = rows.count()
    if there != n_rows:
        raise Error(f"the engine sees {there} of {n_rows} rows in `{folder}`: its machines must see the output folder", 3)
    return rows
