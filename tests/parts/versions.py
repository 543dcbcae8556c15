"""Versions of a shop as a Prometheus saw them: a good one, a bad one, ones that say nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tests.parts.broken import BUCKETS, PODS
from tests.parts.prometheus import History

GOOD, BAD, NAN, NONE, NEW = "v2-good", "v2-bad", "v2-nan", "v2-none", "v2-new"
BASELINE = "v1"
# The share of requests that fail. Of `NEW` all is well but that it has just begun.
ERRORS = {BASELINE: 0.0001, GOOD: 0.0001, BAD: 0.05, NAN: math.nan, NEW: 0.0001}

SCRAPE, RATE = 15.0, 100.0  # seconds; requests a second of each pod
PAST, FUTURE = 5_400.0, 1_800.0


def histories(
    now: float, errors: Mapping[str, float] = ERRORS, *, scrape: float = SCRAPE
) -> list[History]:
    """Of an hour and a half, and on into the future: so the last minute is never missing.

    `errors`: the share of requests that fail, by version.
    """
    times = [now - PAST + scrape * k for k in range(round((PAST + FUTURE) / scrape))]
    return [
        History(name, {**labels, "version": version, "pod": f"{version}-{pod}"}, [
            (at, value(at - times[0])) for at in times
        ])
        for version, share in errors.items()
        for pod in PODS
        for name, labels, value in _series(share)
    ]  # fmt: skip


def _series(share: float):
    """Each series of one pod: its name, its labels, and its value after so many seconds."""

    def grows(by: float):
        # A broken exporter's NaN is no increase of anything.
        return lambda seconds: by if math.isnan(by) else math.floor(RATE * by * seconds)

    seen = 0.0 * share + 1.0  # NaN where the share is
    yield "up", {}, lambda _: 1.0
    yield "http_requests_total", {"code": "200"}, grows(seen - share)
    yield "http_requests_total", {"code": "500"}, grows(share)
    for le, below in BUCKETS.items():
        yield "http_request_duration_seconds_bucket", {"le": le}, grows(below * seen)
