"""A live release: shops on loopback ports, scraped each second by a real Prometheus."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from gate.evidence.evidence import Cause
from gate.metric import Kind
from gate.request import Window
from gate.series import Buckets, Counts
from gate.service import Arms
from gate.sources.promclient import pooled_session
from gate.sources.prometheus import Prometheus
from tests.parts.nativehistogram import native_exporter
from tests.parts.prometheus import Target, prometheus
from tests.parts.shop import Shop, load, shop
from tests.sources.asking import ERRORS, asked, metric, source

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("street")]  # one for all

LATENCY = "sum by (le) (increase(http_request_duration_seconds_bucket{ {{selector}} }[{{step}}]))"
ARMS = Arms(
    canary='version="{{canary}}"', baseline='version="{{baseline}}"', health="up{ {{selector}} }"
)


@dataclass
class Street:
    """An old shop, two pods of a new one, of which `frail` may be closed, and who watches them."""

    source: Prometheus
    old: Shop
    new: Shop
    frail: Shop
    close_frail: ExitStack


@pytest.fixture(scope="module")
def street() -> Iterator[Street]:
    with ExitStack() as running, ExitStack() as dying:
        session = running.enter_context(pooled_session(4))
        old = running.enter_context(shop("v1", errors=0.02))
        new = running.enter_context(shop("v2", errors=0.20, latency=0.03))
        frail = dying.enter_context(shop("v2", errors=0.20, latency=0.03))
        # Schema 0 has powers of two: bucket 0 is (0.5, 1], 1 is (1, 2], and so on. Schema 1 is
        # twice as fine: bucket 1 is (1, sqrt 2], 2 is (sqrt 2, 2].
        coarse = running.enter_context(native_exporter("latency", 0, 0, [8, 4, 2]))
        fine = running.enter_context(native_exporter("latency", 1, 1, [1, 2, 3]))
        targets = [
            Target(old.address, {"version": "v1", "pod": "a"}),
            Target(new.address, {"version": "v2", "pod": "b"}),
            Target(frail.address, {"version": "v2", "pod": "c"}),
            Target(coarse, {"version": "coarse"}),
            Target(fine, {"version": "fine"}),
        ]
        url = running.enter_context(prometheus(targets=targets))
        yield Street(source(url, session), old, new, frail, dying)


def test_a_worse_canary_is_seen_to_be_worse_and_its_death_is_noticed(street):
    # A little at first, so that the counters of errors are born and scraped before the rest.
    started = math.ceil(time.time())
    for one, count in [(street.old, 50), (street.new, 10), (street.frail, 10)]:
        load(one.url, count=count)
    time.sleep(2.0)
    for one in (street.old, street.new, street.frail):
        load(one.url, count=100)
    time.sleep(1.5)
    street.close_frail.close()
    time.sleep(2.5)  # what happened is scraped, and so is the death

    question = asked(window=Window(started, math.floor(time.time()) - started, 1), arms=ARMS)
    errors = street.source.pair(metric(Kind.EVENTS, **ERRORS), question)
    latency = street.source.pair(metric(Kind.HISTOGRAM, buckets=LATENCY), question)

    # 1 in 50 and 1 in 5 of the requests were bad; what fell on a series' birth is not counted.
    assert share(errors.baseline) < 0.05 < share(errors.canary)
    assert isinstance(latency.canary, Buckets)
    assert median_edge(latency.baseline) <= 0.01
    assert 0.03 < median_edge(latency.canary) <= 0.1
    (doubt,) = errors.doubts
    assert doubt.cause is Cause.STALE
    assert "1 of 2 canary targets is down (c)" in doubt.detail


def test_native_histograms_come_through_a_real_server(street):
    time.sleep(2.0)  # whichever test comes first, both are scraped before the window ends
    window = Window(math.floor(time.time()) - 1.0, 1.0, 1)
    raw = metric(Kind.HISTOGRAM, buckets="latency{ {{selector}} }")
    pair = street.source.pair(raw, asked("fine", "coarse", window))
    assert pair.baseline.edges.tolist() == [0.5, 1, 2, 4]
    assert pair.baseline.counts.tolist() == [[0, 8, 4, 2, 0]]
    assert pair.canary.edges.tolist() == pytest.approx([1, 2**0.5, 2, 2 * 2**0.5])
    assert pair.canary.counts.tolist() == [[0, 1, 2, 3, 0]]


def share(counts: Counts) -> float:
    return float(counts.bad.sum() / counts.total.sum())


def median_edge(buckets: Buckets) -> float:
    counts = buckets.counts.sum(axis=0)
    return float(buckets.edges[(counts.cumsum() >= counts.sum() / 2).argmax()])
