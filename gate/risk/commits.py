"""Labelled commits, for fitting a model and for measuring one."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass

from gate.additive import Features
from gate.errors import UsageError
from gate.risk.features import ALL, SIZES


@dataclass(frozen=True, slots=True)
class Commit:
    """What was counted of a commit, and whether it introduced a bug. `time` in Unix seconds."""

    project: str
    time: float
    features: Features
    buggy: bool

    @property
    def lines(self) -> float:
        """Lines added and deleted."""
        return self.features["la"] + self.features["ld"]


def parse(text: str, file: str) -> list[Commit]:
    """The commits of a CSV, oldest first; raises UsageError naming the line.

    Columns: la, ld, nf, nd, ns, ent, buggy (0 or 1); age and nuc, project and t (Unix seconds)
    where there are such; any others are not looked at.
    """
    table = csv.DictReader(text.splitlines())
    header = table.fieldnames or ()
    if absent := [name for name in (*SIZES, "buggy") if name not in header]:
        raise UsageError(
            f"{file}: no column {', '.join(absent)}", f"needed: {', '.join(SIZES)}, buggy"
        )
    commits = list(_commits(table, file, tuple(name for name in ALL if name in header)))
    if len({one.buggy for one in commits}) < 2:
        raise UsageError(f"{file}: commits of both kinds are needed, buggy 0 and 1")
    return sorted(commits, key=lambda one: one.time)


def _commits(table: csv.DictReader[str], file: str, names: tuple[str, ...]) -> Iterator[Commit]:
    for row in table:
        where = f"{file}:{table.line_num}"
        features = {name: number(row[name], f"{where}: {name}") for name in names}
        if row["buggy"] not in ("0", "1"):
            raise UsageError(f"{where}: buggy is {row['buggy']!r}, neither 0 nor 1")
        time = number(row.get("t") or "0", f"{where}: t")
        yield Commit(row.get("project") or "", time, features, row["buggy"] == "1")


def number(text: str | None, where: str) -> float:
    """A count in the text; raises UsageError for what is none, beginning with `where`."""
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise UsageError(f"{where} is {text!r}, not a number from 0 upwards")
    return value
