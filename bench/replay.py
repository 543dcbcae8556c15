"""`gate replay --policy` over up to 100,000 decisions, time and memory: `python -m bench.replay`.

The ledger is made here, in one transaction: real decisions about half an hour of a small service,
with facts that differ as they do in life and the answer of the standard policy to them. Each run is
a process of its own, as a person would start it. Two policies: one whose rules alone are other, so
that the stored facts are enough, and one that asks for closer margins, so that every decision is
judged again.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from gate.change import Change
from gate.decision import decided, to_json
from gate.evidence.evidence import Evidence, Pair
from gate.ledger.ledger import Entry, Record, following
from gate.ledger.sqlite import SqliteLedger
from gate.metric import DEFAULT_MARGINS, QUERIES, Direction, Kind, Metric
from gate.policy.demands import demanded
from gate.policy.evaluate import evaluate
from gate.policy.load import named
from gate.policy.policy import Policy
from gate.request import Intent, Request, Window
from gate.series import Counts, array
from gate.service import Arms, ChangeRange, Service
from gate.slo import Indicator, Slo, TimeWindow

SIZES = (10_000, 50_000, 100_000)
REJUDGED = (500, 1_000, 2_000)
APART = 60.0  # seconds from one decision to the next
KINDS = 20  # different decisions to start from
MINUTES = 30
LEVELS = ("low", "low", "low", "medium", "medium", "high", "critical")
RULES = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: stricter
extends: standard
rules:
  - name: thin budget
    when: budget.asked && budget.remaining < 0.3
    then: hold
    message: "{budget.remaining:.0%} of the budget is left"
"""
TABLE = """
evidence:
  - {name: closer, margins: 0.5}
"""
SLO = Slo(name="availability", objective=0.999, window=TimeWindow(length=2_592_000.0), source="m")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=__doc__)
    parser.add_argument("folder", nargs="?", help="where the ledger (about 2 GB) is made")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rejudged", type=int, nargs="+", default=REJUDGED)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        path, now = Path(folder) / "ledger.db", time.time()
        start = time.perf_counter()
        fill(path, max(*asked.sizes, *asked.rejudged), now)
        size = path.stat().st_size / 1e9
        print(f"ledger of {size:.1f} GB made in {time.perf_counter() - start:.0f} s")
        for name, text, sizes in (
            ("other rules", RULES, asked.sizes),
            ("closer margins, all judged again", RULES + TABLE, asked.rejudged),
        ):
            policy = Path(folder) / "policy.yaml"
            policy.write_text(text)
            for count in sizes:
                print(f"{name}: {measured(path, policy, count, now)}")


def measured(path: Path, policy: Path, count: int, now: float) -> str:
    """One run over so many of the newest decisions."""
    since = time.time() - now + APART * (count - 0.5)
    command = [
        sys.executable, "-m", "gate", "replay", "--policy", str(policy), "--ledger", str(path),
        "--since", f"{since:.0f}s", "--format", "json",
    ]  # fmt: skip
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        told = orjson.loads(process.stdout.read() if process.stdout else b"")
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    took, busy = time.perf_counter() - start, used.ru_utime + used.ru_stime
    return (
        f"{told['decisions']:7,} decisions, {told['changes']:6,} changed, "
        f"{told['rejudged']:6,} judged again: {took:6.1f} s, {busy:6.1f} s of one core, "
        f"{1e6 * busy / told['decisions']:5.0f} us each, {used.ru_maxrss / 1024:4.0f} MB at most"
    )


def fill(path: Path, count: int, now: float) -> None:
    """A ledger of so many decisions, the last one at `now`."""
    chance = random.Random(1)
    policy = named("standard", Path()).policy
    bases = [orjson.loads(a_body(policy, seed)) for seed in range(KINDS)]
    SqliteLedger(path).append(_record(bases[0], policy, chance, now - APART * (count - 1)))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        last = db.execute("SELECT digest FROM entries").fetchone()[0]
        records = (
            _record(chance.choice(bases), policy, chance, now - APART * (count - 1 - index))
            for index in range(1, count)
        )
        insert = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        db.executemany(insert, _rows(records, last))
        db.execute("COMMIT")


def _rows(records: Iterator[Record], digest: str) -> Iterator[tuple[Any, ...]]:
    for number, record in enumerate(records, 1):
        entry: Entry = following(number, digest, record)
        one, digest = entry.record, entry.digest
        yield (
            entry.number, one.id, one.service, one.outcome, one.at, one.body, one.kind,
            entry.previous, entry.digest,
        )  # fmt: skip


def _record(base: dict[str, Any], policy: Policy, chance: random.Random, at: float) -> Record:
    """A decision with facts of its own, and what the standard policy says to them."""
    conclusion = base["conclusion"]
    seen = chance.uniform(2, 90)
    stored = {
        **conclusion["facts"], "budget.remaining": chance.gauss(0.5, 0.3),
        "risk.level": chance.choice(LEVELS), "rollout.seen_minutes": seen,
        "rollout.minutes": seen + 1,
    }  # fmt: skip
    known = {word: tuple(one) if isinstance(one, list) else one for word, one in stored.items()}
    demands = demanded(policy.evidence, known)
    enough = seen >= demands.minutes
    missing = () if enough else (f"{demands.minutes:g} minutes, {seen:.3g} judged",)
    known.update({"evidence.enough": enough, "evidence.missing": missing})
    verdict = evaluate(policy, known, Intent.RELEASE, ())
    id_ = f"{chance.getrandbits(64):016x}"
    body = {
        **base, "id": id_, "decided_at": at,
        "conclusion": {**conclusion, "facts": known, "verdict": verdict, "demands": demands},
    }  # fmt: skip
    return Record(id_, "shop", verdict.outcome, at, orjson.dumps(body))


def a_body(policy: Policy, seed: int) -> bytes:
    """A real decision about half an hour of simulated errors, some of them worse."""
    rng = np.random.default_rng(seed)
    window = Window(1_700_000_040.0, 60.0, MINUTES)
    worse = 3.0 if seed % 5 == 0 else 1.0
    pairs = tuple(_pair(rng, metric, worse) for metric in SERVICE.metrics)
    change = Change(
        base="v1", head="v2", commits=3, files=4, directories=2, lines_added=80, lines_deleted=9
    )
    seen = (Indicator("availability", 2_592_000.0, 0.0004),)
    evidence = Evidence(window=window, pairs=pairs, indicators=seen, change=change)
    request = Request(
        service="shop", canary=f"v{seed}", baseline="v1", as_of=window.end, since=60.0 * MINUTES
    )
    decision = decided(request, SERVICE, policy, evidence, at=window.end, gate_version="bench")
    return to_json(decision)


def _pair(rng: np.random.Generator, metric: Metric, worse: float) -> Pair:
    def arm(share: float, rate: int, minutes: int) -> Counts:
        return Counts(array(rng.binomial(rate, share, minutes)), array(np.full(minutes, rate)))

    return Pair(
        metric.name, arm(0.002, 9000, MINUTES), arm(0.002 * worse, 9000, MINUTES),
        history=arm(0.002, 9000, 60),
    )  # fmt: skip


SERVICE = Service(
    name="shop", tier=1, arms=Arms(canary="", baseline=""), policy="standard", step=60.0, lag=0.0,
    history=3600.0, slos=(SLO,), change=ChangeRange(source="git", base="v1", head="v2"),
    metrics=tuple(
        Metric(
            name=name, kind=Kind.EVENTS, queries=dict.fromkeys(QUERIES[Kind.EVENTS][0], ""),
            source="m", worse=Direction.HIGHER, margin=DEFAULT_MARGINS[Kind.EVENTS], critical=True,
        )
        for name in ("errors", "checkout", "search")
    ),
)  # fmt: skip

if __name__ == "__main__":
    main()
