"""The baseline alone, before any rollout: what its sources tell of its last hour.

Asked by the same path as evidence, with the baseline in the canary's place. A source must be asked
about two arms that differ, so the other one is the same version an interval earlier.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from gate.evidence.evidence import Gap
from gate.evidence.gather import gather
from gate.evidence.source import Source
from gate.request import Request, Window
from gate.series import Series
from gate.service import Service

# Where the service file asks for no history, an hour is looked at all the same.
USUAL = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What was seen in the window, by name of the metric, and what was not.

    `doubts`: what is wrong beside something seen, as in `Pair`.
    """

    window: Window
    seen: Mapping[str, Series]
    gaps: Mapping[str, Gap]
    doubts: tuple[Gap, ...] = ()


def window_before(service: Service, as_of: float) -> Window:
    """The whole intervals of the service's history up to the moment."""
    end = math.floor((as_of - service.lag) / service.step) * service.step
    return Window(end, service.step, 0).before(service.history or USUAL)


def past(
    service: Service,
    request: Request,
    sources: Mapping[str, Source],
    within: float,
) -> Past:
    """The metrics of `request.baseline` up to `request.as_of`, `within` seconds."""
    window = window_before(service, request.as_of)
    alone = replace(
        request,
        canary=request.baseline or request.canary,
        as_of=window.end + service.lag,
        since=window.end + service.lag - window.start,
    )
    evidence = gather(alone, _of_baseline(service), sources, within)
    seen = {pair.metric: pair.canary for pair in evidence.pairs}
    gaps = {
        metric.name: gap
        for metric in service.metrics
        for gap in evidence.gaps
        if gap.about == f"metric {metric.name}" and metric.name not in seen
    }
    doubts = tuple(doubt for pair in evidence.pairs for doubt in pair.doubts)
    return Past(evidence.window, seen, gaps, doubts)


def _of_baseline(service: Service) -> Service:
    arms = service.arms
    own = arms.baseline if arms.offset is None else arms.canary
    alone = replace(arms, canary=own, baseline=own, offset=service.step, health="")
    return replace(service, arms=alone, earlier=None, slos=(), change=None, history=0.0)
