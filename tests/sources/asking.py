"""Questions as the gate asks them of a source, about a window in November 2023."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest
import requests

from gate.evidence.source import Asked, SourceError
from gate.metric import DEFAULT_MARGINS, Direction, Kind, Metric
from gate.request import Request, Window
from gate.service import Arms
from gate.sources.prometheus import Prometheus
from gate.sources.promspec import PrometheusSpec

T0 = 1_700_000_040.0  # a multiple of 60
STEP, INTERVALS = 60.0, 20
WINDOW = Window(T0, STEP, INTERVALS)

ARMS = Arms(canary='version="{{canary}}"', baseline='version="{{baseline}}"')
ERRORS = {
    "bad": 'sum(increase(http_requests_total{ {{selector}},code=~"5.." }[{{step}}]))',
    "total": "sum(increase(http_requests_total{ {{selector}} }[{{step}}]))",
}


def asked(
    canary: str = "v2",
    baseline: str = "v1",
    window: Window = WINDOW,
    arms: Arms = ARMS,
    history: float = 0.0,
) -> Asked:
    request = Request(
        service="shop", canary=canary, baseline=baseline, as_of=window.end, since=1200.0
    )
    words = {"canary": canary, "baseline": baseline, "step": "1m"}
    return Asked(
        request=request,
        window=window,
        history=window.before(history),
        arms=arms,
        words=words,
        deadline=time.monotonic() + 10,
    )


def metric(kind: Kind, **queries: str) -> Metric:
    return Metric(
        name="it",
        kind=kind,
        queries=queries,
        source="prometheus",
        worse=Direction.HIGHER,
        margin=DEFAULT_MARGINS[kind],
        critical=True,
    )


def source(
    url: str, session: requests.Session, environ: Mapping[str, str] = {}, **spec
) -> Prometheus:
    return Prometheus(PrometheusSpec(url=url, **spec), environ, session, jitter=lambda: 0.01)


def refused(answer: Callable[[], object]) -> SourceError:
    with pytest.raises(SourceError) as caught:
        answer()
    return caught.value
