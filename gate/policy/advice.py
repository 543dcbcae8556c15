"""What would change the answer: for each thing that stands in the way, what it waits for."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gate.analysis.comparison import Analysis, Comparison, Finding
from gate.evidence.evidence import Cause, Evidence
from gate.units import duration

# What comparisons of these wait for, of which nobody can say when it comes.
_UNPROMISED = {
    "pods": "more time or more pods",
    "points": "more points, or a wider margin; see its evidence",
    "metrics": "passes when the metrics it counts are shown not worse; see their evidence",
}


def advice(analysis: Analysis, evidence: Evidence) -> tuple[str, ...]:
    """Sentences, one for each comparison or gap that keeps a promote away."""
    return tuple(dict.fromkeys((*_of_comparisons(analysis), *_of_gaps(evidence))))


def _of_comparisons(analysis: Analysis) -> Iterator[str]:
    for one in analysis.comparisons:
        if one.finding is Finding.WORSE:
            yield f"{one.label}: was shown worse; a fixed version is a new rollout"
        elif one.finding is Finding.UNCLEAR and one.critical:
            yield f"{one.label}: {wait(one)}"
        elif one.finding is Finding.UNFIT and one.critical:
            yield f"{one.label}: needs data that can carry an answer; see its evidence"


def wait(one: Comparison) -> str:
    """What an unclear comparison waits for."""
    if one.limit is not None and one.limit == one.baseline:
        return "its margin leaves no room: an equal canary cannot be shown not worse; widen it"
    if one.clear_in is None:
        if one.counted in _UNPROMISED:
            return _UNPROMISED[one.counted]
        return "at this traffic it would not be clear within a day; send the canary more"
    minutes = duration(math.ceil(one.clear_in / 60) * 60)
    return (
        f"clear in about {minutes} more at this traffic, if the canary is as good as the baseline"
    )


def _of_gaps(evidence: Evidence) -> Iterator[str]:
    for gap in evidence.gaps:
        if gap.cause is not Cause.NOT_ASKED and not gap.about.startswith("metric "):
            yield f"{gap.about}: make it answer ({gap.cause}: {gap.detail})"
