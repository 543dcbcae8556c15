"""Writes recording.json: three releases of a service called checkout, beside version v1.8.0.

Simulated, seeded; not production data. Requests arrive as a Poisson process, errors are binomial
and latencies lognormal; memory wanders around a level of each pod's own. What differs between
the releases is stated in `RELEASES`, so that a verdict can be checked against what is true.

    python examples/recorded/record.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

SEED = 20261102
STEP = 60  # seconds; one value of every series a minute
BASELINE = "v1.8.0"
BASELINE_RATE, CANARY_RATE = 5400.0, 600.0  # requests a minute; a tenth goes to the canary
EDGES = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0, 2.5)  # seconds
MEDIAN, SIGMA = 0.080, 0.55  # latency in seconds; with them the 99th percentile is 0.29 s
PODS = 5
MEMORY = 420 * 2**20  # bytes a pod
POD_DIFFERENCE, WANDER, MEMORY_LASTS = 0.02, 0.03, 0.9  # shares of MEMORY; AR(1) coefficient
HEALTHY_ERRORS = 0.002
BEFORE = 60  # minutes of the baseline before the canary starts


@dataclass(frozen=True)
class Release:
    """What is true of one canary. `start` in Unix seconds, `wider` a factor on SIGMA."""

    version: str
    start: int
    minutes: int
    rate: float = CANARY_RATE
    errors: float = HEALTHY_ERRORS
    wider: float = 1.0


RELEASES = (
    # 2026-11-02 10:00 to 11:00: no different from the baseline
    Release("v1.9.0", 1793613600, 60),
    # the day after: 1.5 % errors, and a tail 1.7 times as long at the 99th percentile
    Release("v1.9.1", 1793700000, 60, errors=0.015, wider=1.4),
    # the day after: no different, but eight minutes old and hardly any traffic yet
    Release("v1.9.2", 1793786400, 8, rate=20.0),
)

# 30 days at about 6000 requests a minute, 40 % of the 0.1 % that may fail; the last three days at
# 0.6 of the rate that would spend the budget exactly.
INDICATORS = [
    {"slo": "availability", "window": "30d", "bad": 103_680, "total": 259_200_000},
    *(
        {
            "slo": "availability",
            "window": f"{hours:g}h",
            "bad": 216 * hours,
            "total": 360_000 * hours,
        }
        for hours in (72, 24, 6, 2, 1)
    ),
    {"slo": "availability", "window": "30m", "bad": 108, "total": 180_000},
    {"slo": "availability", "window": "5m", "bad": 18, "total": 30_000},
]

CHANGES = {
    "v1.9.0": {"commits": 2, "files": 3, "directories": 2, "lines_added": 41, "lines_deleted": 12},
    "v1.9.1": {"commits": 3, "files": 5, "directories": 2, "lines_added": 96, "lines_deleted": 30},
    "v1.9.2": {
        "commits": 7,
        "files": 14,
        "directories": 3,
        "lines_added": 310,
        "lines_deleted": 84,
    },
}


def main() -> None:
    """Write recording.json beside this file."""
    rng = np.random.default_rng(SEED)
    series = [one for release in RELEASES for one in recorded(release, rng)]
    changes = {
        canary: {"base": BASELINE, "head": canary, **change} for canary, change in CHANGES.items()
    }
    path = Path(__file__).with_name("recording.json")
    path.write_bytes(written({"indicators": INDICATORS, "changes": changes}, series))
    print(f"{path.name}: {len(series)} series of {len(RELEASES)} releases")


def recorded(release: Release, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """All series of one release: the canary's, and those of the baseline before and beside it."""
    baseline = Release(
        BASELINE, release.start - 60 * BEFORE, release.minutes + BEFORE, rate=BASELINE_RATE
    )
    for arm in (baseline, release):
        requests = rng.poisson(arm.rate, arm.minutes)
        bad = rng.binomial(requests, arm.errors)
        yield one(arm, "http_requests_total", requests - bad, code="200")
        yield one(arm, "http_requests_total", bad, code="500")
        yield from latency(arm, requests, rng)
        yield from pods(arm, rng)


def latency(arm: Release, requests: Any, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Bucket counts for each minute, cumulative over `le`."""
    seconds = [rng.lognormal(np.log(MEDIAN), SIGMA * arm.wider, n) for n in requests]
    for edge in EDGES:
        below = [int((minute <= edge).sum()) for minute in seconds]
        yield one(arm, "http_request_duration_seconds_bucket", below, le=f"{edge:g}")
    yield one(arm, "http_request_duration_seconds_bucket", requests, le="+Inf")


def pods(arm: Release, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Memory of every pod, and that it is up."""
    for i in range(PODS):
        pod = f"checkout-{arm.version}-{i}"
        level = MEMORY * (1 + rng.normal(0, POD_DIFFERENCE))
        values = np.rint(level * (1 + wander(arm.minutes, rng))).astype(int)
        yield one(arm, "container_memory_working_set_bytes", values, pod=pod)
        yield one(arm, "up", np.ones(arm.minutes, dtype=int), pod=pod)


def wander(minutes: int, rng: np.random.Generator) -> Any:
    """An AR(1) process around 0 with standard deviation `WANDER`."""
    shocks = rng.normal(0, WANDER * np.sqrt(1 - MEMORY_LASTS**2), minutes)
    values = np.empty(minutes)
    now = rng.normal(0, WANDER)
    for i in range(minutes):
        now = MEMORY_LASTS * now + shocks[i]
        values[i] = now
    return values


def one(arm: Release, name: str, values: Any, **labels: str) -> dict[str, Any]:
    """One series; its first value is that of the release's first minute."""
    return {
        "name": name,
        "labels": {"version": arm.version, **labels},
        "start": arm.start + STEP,
        "step": STEP,
        "values": [int(value) for value in values],
    }


def written(head: dict[str, Any], series: list[dict[str, Any]]) -> bytes:
    """JSON with one series a line, so that a difference can be read."""
    lines = b",\n".join(b"    " + orjson.dumps(each) for each in series)
    opening = orjson.dumps(head, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
    return opening + b',\n  "series": [\n' + lines + b"\n  ]\n}\n"


if __name__ == "__main__":
    main()
