"""How good the verdicts are: `python -m bench.verdicts`, 60 rollouts a scenario by default.

`--rollouts 500` gives the full figures, `--every 5` a quick look. Several
`--rps` and `--weight` are run in all combinations.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from bench.verdicts.judges import JUDGES, USUAL
from bench.verdicts.ours import ALL
from bench.verdicts.scenarios import SCENARIOS
from bench.verdicts.score import Score, scores
from bench.verdicts.simulation import Traffic
from bench.verdicts.table import alarms, detections, full, markdown, plain
from bench.verdicts.trial import Task, known, trials

LEGEND = """\
Nothing wrong: false alarms % in the hour (< its 95 % upper bound), ! beyond alpha for certain;
+promoted % @ median minute. Fault: rolled back % before any promote @ median minutes after its
onset; +promoted %."""


def main(argv: Sequence[str] | None = None) -> None:
    asked = _arguments().parse_args(argv)
    try:
        names = known(asked.scenario, SCENARIOS)
        judges = known(asked.judge or USUAL, JUDGES)
    except ValueError as unknown:
        sys.exit(str(unknown))
    for rps in asked.rps:
        for weight in asked.weight:
            traffic = Traffic(rps, weight / 100)
            start = time.perf_counter()
            tasks = [
                Task(name, traffic, asked.seed, index, asked.every)
                for name in names
                for index in range(asked.rollouts)
            ]
            found = scores(trials(tasks, judges, asked.workers))
            took = time.perf_counter() - start
            print(f"{rps:g} rps, {weight:g} % canary, {asked.rollouts} rollouts, {took:.0f} s\n")
            _show(found, judges, asked)


def _show(found: Sequence[Score], judges: Sequence[str], asked: argparse.Namespace) -> None:
    written = markdown if asked.markdown else plain
    tables = [alarms(found, judges, ALL.alpha), detections(found, judges)]
    print("\n\n".join(written(rows) for rows in tables if len(rows) > 1) + f"\n\n{LEGEND}\n")
    if asked.full:
        print(written(full(found)) + "\n")
    sys.stdout.flush()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.verdicts", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=60, help="for each scenario")
    parser.add_argument("--scenario", action="append", default=[], help="may be repeated")
    parser.add_argument(
        "--judge", action="append", default=[], help=f"may be repeated; of {', '.join(JUDGES)}"
    )
    parser.add_argument("--rps", type=float, nargs="+", default=[100.0])
    parser.add_argument("--weight", type=float, nargs="+", default=[10.0], help="percent")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=1, help="minutes between looks; divides 60")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--full", action="store_true", help="also every number, a row a judge")
    return parser


if __name__ == "__main__":
    main()
