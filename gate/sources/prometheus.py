"""Metrics and objectives from Prometheus, or a server that speaks its HTTP API.

How counts are made: a counter's template should say `increase(...[{{step}}])`. It is evaluated at
the end of each interval of the judged window, over exactly one step. Prometheus extrapolates such
an increase to the edges of its range, so counts are fractional; it accounts for counter resets;
and it gives a counter that is born in the interval nothing for its first sample, which has none
before it. Since 3.0 ranges are left-open: the growth from the sample on the left edge to the next
is then extrapolated rather than measured, so a step should be at least four scrapes long.
Fractional counts are fine for the judge: both arms are extrapolated alike, and its tests are of
shares. What can go wrong is a scrape gap: with fewer than two samples in a step there is no value
at all, which shows as an interval that was not seen, not as one without events.

What a missing series means: an error counter does not exist before the first error, so where a
total is there and no bad series, bad is zero. Where the total is missing, nothing is known. When
neither arm had a bad event, the names in the query are looked up, and a name that nothing carries
is a doubt: a mistyped query must not acquit.

What keeps a dead canary from looking healthy: a `health` query, asked once per arm and decision;
`rate` and `increase` go on answering good numbers for a whole step after a target died.
"""

from __future__ import annotations

import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
import requests

from gate.evidence.evidence import Cause, Gap, Pair
from gate.evidence.source import Asked, SourceError, Surroundings
from gate.metric import Arm, Kind, Metric
from gate.request import Window
from gate.series import Array, Buckets, Counts, Levels, Samples, Series, array
from gate.slo import Indicator, Slo
from gate.sources import shaping
from gate.sources.nativebuckets import native_buckets
from gate.sources.promanswer import Line, Mask, Matrix, malformed
from gate.sources.promclient import PromClient, pooled_session
from gate.sources.promnames import presence_checks
from gate.sources.promobjectives import measured
from gate.sources.promrecorded import recorded
from gate.sources.promspec import PrometheusSpec, credentials
from gate.template import render
from gate.units import duration

# Health answers kept: a decision needs two, and few decisions are made at once.
HEALTH_KEPT = 256
# A history that says so is one of a service that is new, or was idle.
NOTHING_THERE = frozenset({Cause.EMPTY, Cause.NOT_A_NUMBER})
# Kept open to the server: a decision asks about that many things at once.
CONNECTIONS = 8

Health = dict[str, float]


@dataclass(frozen=True, slots=True)
class _View:
    """One arm as it is asked about: its words, and its own time when it is historical.

    `moment`: what the request's own moment is for this arm.
    """

    arm: Arm
    words: Mapping[str, str]
    window: Window
    moment: float
    deadline: float

    def query(self, template: str) -> str:
        return render(template, self.words)


class Prometheus:
    """A MetricSource and IndicatorSource over one server.

    The constructor only stores. `environ` holds the secrets that `spec` names; `session` is
    shared by all threads that ask (see `pooled_session`) and is closed by its owner.
    """

    Spec = PrometheusSpec

    @classmethod
    def open(cls, spec: PrometheusSpec, surroundings: Surroundings) -> Prometheus:
        session = pooled_session(CONNECTIONS)
        return cls(spec.beside(surroundings.folder), surroundings.environ, session)

    def __init__(
        self,
        spec: PrometheusSpec,
        environ: Mapping[str, str],
        session: requests.Session,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = PromClient(
            spec.url,
            session,
            headers=spec.headers,
            params=spec.params,
            auth=credentials(spec, environ),
            verify=spec.verify,
            cert=spec.cert,
            method=spec.method,
            timeout=spec.timeout,
            attempts=spec.attempts,
            most_bytes=spec.most_bytes,
            most_series=spec.most_series,
            clock=clock,
            sleep=sleep,
            jitter=jitter,
        )
        self._health_asked = _Once(HEALTH_KEPT)

    def pair(self, metric: Metric, asked: Asked) -> Pair:
        if asked.window.count < 1:
            raise SourceError(Cause.EMPTY, "no interval has passed since the canary started")
        canary, baseline = _view(asked, Arm.CANARY), _view(asked, Arm.BASELINE)
        _refuse_same(metric, canary, baseline)
        of_canary = self._series(metric, canary)  # first: its trouble is the more telling
        of_baseline = self._series(metric, baseline)
        health = self._doubts(metric.name, asked.arms.health, canary, baseline)
        return Pair(
            metric=metric.name,
            baseline=of_baseline,
            canary=of_canary,
            concurrent=asked.arms.offset is None,
            doubts=(*health, *self._typos(metric, canary, of_baseline, of_canary)),
            history=self._history(metric, baseline, asked.history),
        )

    def indicators(self, slo: Slo, asked: Asked) -> tuple[Indicator, ...]:
        if slo.recorded and not slo.queries:
            return recorded(self._client, slo, asked)
        return measured(self._client, slo, asked)

    def reach(self, deadline: float) -> None:
        """SourceError where the server does not answer queries."""
        self._client.instant("vector(1)", time.time(), deadline)

    def _series(self, metric: Metric, view: _View) -> Series:
        queries = {name: view.query(template) for name, template in metric.queries.items()}
        matrices = {name: self._matrix(query, view) for name, query in queries.items()}
        where = f"{view.arm} {'; '.join(' '.join(one.split()) for one in queries.values())}"
        try:
            for name, matrix in matrices.items():
                _refuse_not_numbers(name, matrix)
            return SHAPES[metric.kind](matrices, view.arm, where)
        except SourceError as error:
            told = error.message if error.message.startswith(where) else f"{where}: {error.message}"
            raise SourceError(error.cause, told) from error

    def _history(self, metric: Metric, baseline: _View, window: Window) -> Series | None:
        """The baseline before the canary started; None where nothing of it is there to be seen.

        Raises SourceError where that cannot be told: a server that died in the midst of the
        questions must not leave a judge with less doubt than the history would have given it.
        """
        shift = baseline.window.start - window.end  # 0, or how much earlier a historical one is
        earlier = Window(window.start + shift, window.step, window.count)
        try:
            return self._series(metric, replace(baseline, window=earlier)) if window.count else None
        except SourceError as error:
            if error.cause not in NOTHING_THERE:
                raise
            return None

    def _matrix(self, query: str, view: _View) -> Matrix:
        window = view.window
        return self._client.range(
            query, window.start + window.step, window.end, window.step, view.deadline
        )

    def _doubts(
        self, metric: str, template: str, canary: _View, baseline: _View
    ) -> tuple[Gap, ...]:
        if not template:
            return ()
        try:
            return shaping.health_doubts(
                metric, self._health(template, canary), self._health(template, baseline)
            )
        except SourceError as error:
            detail = f"the health of the targets could not be seen: {error.message}"
            return (Gap(f"metric {metric}", error.cause, detail),)

    def _typos(
        self, metric: Metric, view: _View, baseline: Series, canary: Series
    ) -> Iterator[Gap]:
        """Doubts about a query for bad events that never matched anything in either arm.

        A service without a single error looks just like a query with a mistyped name, so then,
        and only then, the names in it are looked up.
        """
        arms = (baseline, canary)
        silent = all(isinstance(arm, Counts) and not np.nansum(arm.bad) for arm in arms)
        if not silent or "bad" not in metric.queries:
            return
        about = f"metric {metric.name}"
        for name, query in presence_checks(view.query(metric.queries["bad"])):
            try:
                found = self._client.instant(query, view.window.end, view.deadline).points
            except SourceError as error:
                yield Gap(about, error.cause, f"no bad events, and {name} cannot be looked up")
                return
            if not found:
                detail = (
                    f"no bad events in either arm, and there is no {name}: a mistyped query looks "
                    "just so (an error counter of its own should start at 0, not be missing)"
                )
                yield Gap(about, Cause.EMPTY, detail)
                return

    def _health(self, template: str, view: _View) -> Health:
        """Each target's health at the moment; asked once, whatever number of metrics."""
        query, at = view.query(template), view.moment
        return self._health_asked.get(
            (query, at, view.deadline), lambda: self._ask_health(query, at, view.deadline)
        )

    def _ask_health(self, query: str, at: float, deadline: float) -> Health:
        health: Health = {}
        for point in self._client.instant(query, at, deadline).points:
            name = shaping.pod_name(point.labels)
            # A pod with several targets is down when any of them is; a NaN is not health.
            if name not in health or not point.value > 0:
                health[name] = point.value
        return health


class _Once:
    """Answers by key, each asked for once however many threads want it; the oldest forgotten."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, Lock()
        self._answers: OrderedDict[object, Future[Health]] = OrderedDict()

    def get(self, key: object, ask: Callable[[], Health]) -> Health:
        with self._lock:
            first = key not in self._answers
            answer = self._answers.setdefault(key, Future())
            if len(self._answers) > self._most:
                self._answers.popitem(last=False)
        if first:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001 - raised again to everyone who waits
                answer.set_exception(error)
        return answer.result()


def _view(asked: Asked, arm: Arm) -> _View:
    historical = arm is Arm.BASELINE and asked.arms.offset is not None
    own = asked.arms.canary if arm is Arm.CANARY else asked.arms.baseline
    shift = asked.arms.offset or 0.0 if historical else 0.0
    window = asked.window
    words = asked.words | {
        "selector": render(own, asked.words),
        "step": duration(window.step),
    }
    shifted = Window(window.start - shift, window.step, window.count)
    return _View(arm, words, shifted, shifted.end + asked.tail, asked.deadline)


def _refuse_same(metric: Metric, canary: _View, baseline: _View) -> None:
    """A version compared with itself is never worse, whatever it does."""
    for name, template in metric.queries.items():
        query = canary.query(template)
        if canary.window == baseline.window and query == baseline.query(template):
            raise SourceError(
                Cause.BAD_QUERY,
                f"both arms ask the same {name} query, the arms cannot be told apart"
                f" (does it use {{{{selector}}}}?): {query}",
            )


def _counts(matrices: Mapping[str, Matrix], arm: Arm, where: str) -> Counts:
    part, total = matrices.get("bad") or matrices["good"], matrices["total"]
    of_part, of_total = _sum(part.lines, len(part.times)), _sum(total.lines, len(total.times))
    # A part that is there but NaN is unknown, and so is its share; only an absent one is zero.
    of_total = np.where(_any_nan(part), math.nan, of_total)
    good = "good" in matrices
    pods = shaping.counts_by_pod(_sum_by_pod(total), _sum_by_pod(part), good=good)
    if good:
        return shaping.counts_of_good(of_total, of_part, arm, where, pods)
    return shaping.counts(of_total, of_part, where, pods)


def _sum_by_pod(matrix: Matrix) -> dict[str, Array]:
    lines = shaping.by_pod(matrix.lines, lambda line: line.labels)
    return {pod: _sum(own, len(matrix.times)) for pod, own in lines.items()}


def _buckets(matrices: Mapping[str, Matrix], _arm: Arm, where: str) -> Buckets:
    matrix = matrices["buckets"]
    native = [bool(line.histograms) for line in matrix.lines]
    if any(native):
        if not all(native):
            raise malformed("native and classic histograms are mixed")
        return native_buckets(matrix.lines, len(matrix.times))
    pods = shaping.by_pod(matrix.lines, lambda line: line.labels)
    rows = len(matrix.times)
    return shaping.buckets_by_le(
        _sum_by_le(matrix.lines, rows),
        where,
        {pod: _sum_by_le(lines, rows) for pod, lines in pods.items()},
    )


def _sum_by_le(lines: Sequence[Line], rows: int) -> dict[str, Array]:
    by_le: dict[str, list[Line]] = {}
    for line in lines:
        if "le" not in line.labels:
            raise malformed(f"a bucket series has no le label: {dict(line.labels)}")
        by_le.setdefault(line.labels["le"], []).append(line)
    return {le: _sum(same, rows) for le, same in by_le.items()}


def _levels(matrices: Mapping[str, Matrix], _arm: Arm, where: str) -> Levels:
    lines = matrices["value"].lines
    return shaping.levels(((line.labels, line.values) for line in lines), where)


def _samples(matrices: Mapping[str, Matrix], _arm: Arm, where: str) -> Samples:
    matrix = matrices["values"]
    values = np.concatenate([array([]), *(line.values for line in matrix.lines)])
    return shaping.samples(np.tile(matrix.times, len(matrix.lines)), values, where)


SHAPES: Mapping[Kind, Callable[[Mapping[str, Matrix], Arm, str], Series]] = {
    Kind.EVENTS: _counts,
    Kind.HISTOGRAM: _buckets,
    Kind.GAUGE: _levels,
    Kind.SAMPLES: _samples,
}


def _sum(lines: Sequence[Line], rows: int) -> Array:
    """All lines added, shape (rows,): NaN where none was seen, or where one that was is NaN."""
    seen = np.array([line.seen for line in lines], dtype=np.bool_).reshape(-1, rows)
    values = np.array([line.values for line in lines]).reshape(-1, rows)
    total = np.where(seen, values, 0.0).sum(axis=0)
    total[~seen.any(axis=0)] = math.nan
    return array(total)


def _any_nan(matrix: Matrix) -> Mask:
    """The times at which some series is there and not a number, shape (n,)."""
    found = np.zeros(len(matrix.times), dtype=np.bool_)
    for line in matrix.lines:
        found |= line.seen & np.isnan(line.values)
    return found


def _refuse_not_numbers(name: str, matrix: Matrix) -> None:
    """Refuses a histogram where only numbers make sense, and an answer of nothing but NaN."""
    if name != "buckets" and any(line.histograms for line in matrix.lines):
        raise malformed(f"a native histogram was answered to the query {name!r}")
    seen = [line.values[line.seen] for line in matrix.lines if line.seen.any()]
    if seen and all(np.isnan(values).all() for values in seen):
        raise SourceError(Cause.NOT_A_NUMBER, f"every value of {name!r} is NaN (0/0?)")
