"""What measuring budgets costs and how far they are off: `python -m bench.budget`.

Fifty SLOs over thirty days of a real Prometheus (`prometheus` and `promtool` are needed): counted
by the gate, beside what Sloth's recording rules hold. Then the error against the exact share, which
is known from the increments themselves, for outages of two hours in each pattern of traffic. It
takes about a minute.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import requests

from gate.budget.budget import burn
from gate.evidence.gather import gather
from gate.request import Request
from gate.service import Arms, Service
from gate.slo import Slo, TimeWindow
from gate.sources.promclient import pooled_session
from gate.sources.prometheus import Prometheus
from gate.sources.promspec import PrometheusSpec
from tests.parts.month import DAY, END, Month, month
from tests.parts.prometheus import prometheus

SLOS, RUNS = 50, 3
ALLOWED = 0.001
PATTERNS = (
    ("flat traffic", month("flat", "flat", 3)),
    ("10:1 daily, outage at peak", month("peak", "swinging", 11)),
    ("10:1 daily, outage at trough", month("trough", "swinging", 23)),
    ("no traffic at night", month("nightly", "nightly", 12)),
    # An outage across the edge of a step, and scrapes on no grid: what `increase` loses there.
    ("10:1 daily, odd times", replace(month("odd", "swinging", 13 + 37 / 60), late=17.0)),
)


def main() -> None:
    months = [one for _, one in PATTERNS]
    history = [line for one in months for line in (*one.history(), *one.recorded())]
    with prometheus(history=history) as url:
        print(f"{SLOS} SLOs over 30 days, a sample a minute, 4 series each; medians of {RUNS} runs")
        for name, slos in (("counted", counted(months)), ("recorded", recorded(months))):
            requests_made, seconds = cost(url, slos)
            print(f"{name:10}{requests_made / SLOS:6.1f} requests an SLO{seconds:9.2f} s in all")
        print(f"\n{'budget consumed':30}{'exact':>9}{'gate':>9}{'off by':>10}{'Sloth':>9}{'is':>7}")
        for told, one in PATTERNS:
            row(url, told, one)


def row(url: str, told: str, one: Month) -> None:
    exact = one.share / ALLOWED
    ours = consumed(url, objective(one))
    sloth = consumed(url, recording(one))
    print(
        f"{told:30}{exact:9.2%}{ours:9.2%}{abs(ours - exact):10.1e}"
        + (f"{sloth:9.2%}{sloth / exact:6.2f}x" if math.isfinite(sloth) else f"{'NaN':>9}{'-':>7}")
    )


def objective(one: Month, name: str = "") -> Slo:
    counted = "sum(increase(http_requests_total{%s}[{{window}}]))"
    queries = {
        "bad": counted % f'app="{one.name}",code=~"5.."',
        "total": counted % f'app="{one.name}"',
    }
    window = TimeWindow(length=30 * DAY)
    return Slo(
        name=name or one.name, objective=1 - ALLOWED, window=window, source="prom", queries=queries
    )


def recording(one: Month, name: str = "") -> Slo:
    labels = {"sloth_id": f"{one.name}-availability"}
    return replace(objective(one, name), queries=None, recorded=labels)


def counted(months: list[Month]) -> list[Slo]:
    return [objective(months[i % len(months)], f"slo {i}") for i in range(SLOS)]


def recorded(months: list[Month]) -> list[Slo]:
    return [recording(months[i % len(months)], f"slo {i}") for i in range(SLOS)]


def consumed(url: str, slo: Slo) -> float:
    found = measured(url, [slo])[0]
    return math.nan if found is None else found


def cost(url: str, slos: list[Slo]) -> tuple[int, float]:
    """Requests made of the server, and the median seconds, as one decision asks."""
    with counting() as sent:
        measured(url, slos)
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        measured(url, slos)
        seconds.append(time.perf_counter() - start)
    return len(sent), sorted(seconds)[RUNS // 2]


def measured(url: str, slos: list[Slo]) -> list[float | None]:
    """The share of each budget that is consumed; raises where one was not measured."""
    service = Service(
        name="shop", tier=1, arms=Arms(canary="", baseline=""), metrics=(), policy="", step=60.0,
        lag=0.0, slos=tuple(slos),
    )  # fmt: skip
    request = Request(service="shop", canary="", baseline="", as_of=END, since=0.0)
    with pooled_session(8) as session:
        evidence = gather(
            request, service, {"prom": Prometheus(PrometheusSpec(url=url), {}, session)}, 120.0
        )
    if lost := [gap for gap in evidence.gaps if gap.about.startswith("slo ")]:
        raise RuntimeError(str(lost[0]))
    return [burn(slo, evidence.indicators).consumed for slo in slos]


@contextmanager
def counting() -> Iterator[list[str]]:
    """Every request that any session sends."""
    sent: list[str] = []
    plain = requests.Session.request

    def counted_request(session: requests.Session, method: str, url: str, **said: object) -> object:
        sent.append(url)
        return plain(session, method, url, **said)  # type: ignore[arg-type]

    requests.Session.request = counted_request  # type: ignore[method-assign, assignment]
    try:
        yield sent
    finally:
        requests.Session.request = plain  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
