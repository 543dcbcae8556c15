"""Fits the shipped model of change risk and measures it: `python -m bench.risk DATA.csv.gz`.

Two splits: fitted before 2017 and measured after, and each project measured by a fit on the
others (means over the projects). Then both fits on all commits are written to
`gate/risk/model.json`. `--dry` only measures.

Why these features: beside age and earlier changes, directories and subsystems add nothing. The
number of developers and the size of the files before would add 0.001 of AUC on the time split;
they are left out, the first since no person shall be counted, the second since telling it needs
every blob of the history. The author's experience and the label of fixes are not looked at.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np

from bench.risk.fit import fitted
from bench.verdicts.table import plain
from gate.additive import Model
from gate.risk.commits import Commit
from gate.risk.features import ALL, HISTORY, SIZES
from gate.risk.level import Level
from gate.risk.model import to_text
from gate.risk.quality import Quality, of_lines, quality
from gate.surfaces.cli.labelled import read
from gate.surfaces.report.quality import COLUMNS, cells

SPLIT = 1_483_228_800.0  # 2017-01-01 UTC
MODEL = Path(__file__).parents[2] / "gate" / "risk" / "model.json"
MOST_BYTES = 2048
WITH_HISTORY = ("la", "ld", "nf", "ent", *HISTORY)

Measure = Callable[[Sequence[Commit], Sequence[Commit]], Quality]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.risk", description=__doc__)
    parser.add_argument("data", type=Path, help="labelled commits, CSV or CSV.gz")
    parser.add_argument("--dry", action="store_true", help="measure, write nothing")
    asked = parser.parse_args(argv)
    start = time.perf_counter()
    labelled = read(asked.data)
    commits = labelled.commits
    measures: dict[str, Measure] = {
        "lines alone": lambda _, test: of_lines(test),
        "size and spread": lambda train, test: quality(test, fitted(train, SIZES)),
        "with history": lambda train, test: quality(test, fitted(train, WITH_HISTORY)),
    }
    for title, split in (("time split", by_time), ("project left out", by_project)):
        pairs = list(split(commits))
        rows = [
            cells(name, _mean([measure(*pair) for pair in pairs]))
            for name, measure in measures.items()
        ]
        print(f"{title}\n{plain([COLUMNS, *rows])}\n")
    if not asked.dry:
        written = model(commits, labelled.sha256)
        if len(written) > MOST_BYTES:
            sys.exit(f"the model takes {len(written)} bytes, more than {MOST_BYTES}")
        MODEL.write_text(written)
    print(f"{len(commits):,} commits, {time.perf_counter() - start:.0f} s")


def by_time(commits: Sequence[Commit]) -> Iterator[tuple[list[Commit], list[Commit]]]:
    """Learnt before 2017, measured after."""
    yield (
        [one for one in commits if one.time < SPLIT],
        [one for one in commits if one.time >= SPLIT],
    )


def by_project(commits: Sequence[Commit]) -> Iterator[tuple[list[Commit], list[Commit]]]:
    """Each project measured by what the others teach."""
    for project in sorted({one.project for one in commits}):
        yield (
            [one for one in commits if one.project != project],
            [one for one in commits if one.project == project],
        )


def model(commits: Sequence[Commit], digest: str) -> str:
    """Both fits on all commits, as the gate reads them."""
    medians = {name: float(np.median([one.features[name] for one in commits])) for name in ALL}
    found = Model(fitted(commits, SIZES), fitted(commits, WITH_HISTORY), medians, digest)
    return to_text(found, f"python -m bench.risk, {len(commits)} commits")


def _mean(found: Sequence[Quality]) -> Quality:
    """The mean of each figure over the splits."""
    figures = {
        name: mean(getattr(one, name) for one in found)
        for name in ("auc", "pr_auc", "brier", "recall")
        if getattr(found[0], name) is not None
    }
    lifts = [one.lift for one in found if one.lift is not None]
    lift = {level: mean(one[level] for one in lifts) for level in Level} if lifts else None
    return replace(Quality(**figures), lift=lift)


if __name__ == "__main__":
    main()
