"""What a policy of 200 rules costs: `python -m bench.policy`.

The rules are of the shapes that people write, each with numbers of its own, so that none is
compiled for another. Loading is measured in a process of its own, as nothing is compiled yet there.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from gate.policy.evaluate import evaluate
from gate.policy.flip import flips
from gate.policy.load import from_text
from gate.policy.sweep import sweep
from gate.policy.words import WORDS
from gate.request import Intent

RULES, RUNS, STATES = 200, 15, 2_000
SHAPES = (
    ("promote", "analysis.safe && rollout.seen_minutes >= {n}.0"),
    ("hold", "budget.asked && budget.remaining < 0.{n:03}"),
    ("hold", "budget.asked && budget.burn_1h > {n}.5 && budget.burn_5m > {n}.5"),
    ("hold", 'risk.asked && risk.level == "critical" && rollout.seen_minutes < {n}.0'),
    ("hold", "change.lines > {n}00 && size(analysis.unclear) > 0"),
    ("hold", 'service.tier == 0 && "component {n}" in change.touches'),
    ("rollback", 'analysis.critical_worse.exists(one, one.startsWith("metric {n} "))'),
    ("hold", 'service.labels["team"] == "team {n}" && !analysis.safe'),
)
# Every fact has its example as its value.
FACTS = {word: what.example for word, what in WORDS.items()}


def main() -> None:
    text = a_policy()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(text)
        load = median(loaded(path) for _ in range(RUNS))
    policy = from_text(text, "bench.yaml")
    decide = timed(lambda: evaluate(policy, FACTS, Intent.RELEASE, ()))
    explain = timed(lambda: flips(policy, FACTS, Intent.RELEASE))
    check = timed(lambda: sweep(policy, STATES), runs=1)
    print(f"a policy of {RULES} rules, all facts known; CPU time, medians of {RUNS} runs")
    print(f"load, every condition compiled and checked {1e3 * load:9.1f} ms")
    print(f"evaluate                                   {1e3 * decide:9.2f} ms")
    print(f"                                           {RULES / decide:9,.0f} rules a second")
    print(f"find the smallest flip                     {1e3 * explain:9.1f} ms")
    print(f"check a sample of {STATES:,} states            {check:9.1f} s")


def a_policy() -> str:
    """Rules of every shape in turn, as YAML."""
    lines = ["apiVersion: gate/v1", "kind: ReleasePolicy", "name: bench", "rules:"]
    for number in range(RULES):
        then, when = SHAPES[number % len(SHAPES)]
        lines += [
            f"  - name: rule {number}",
            f"    when: '{when.format(n=number + 1)}'",
            f"    then: {then}",
            '    message: "{analysis.unclear} after {rollout.seen_minutes:.0f} minutes"',
        ]
    return "\n".join(lines) + "\n"


def loaded(path: Path) -> float:
    """Seconds to load the policy where nothing was loaded before."""
    code = (
        "import sys, time; from pathlib import Path; from gate.policy.load import load;"
        "start = time.process_time(); load(Path(sys.argv[1])); print(time.process_time() - start)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True
    )
    return float(told.stdout)


def timed(work: Callable[[], object], runs: int = RUNS) -> float:
    """Median seconds. Everything is compiled before."""
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return median(seconds)


if __name__ == "__main__":
    main()
