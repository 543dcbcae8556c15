"""Ask every source once, in parallel, by one deadline; whatever fails becomes a `Gap`.

A source that raises anything at all, or is still silent at the deadline, costs its own answer and
nothing else. Nothing here turns a failure into a number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gate.change import Change
from gate.errors import UsageError
from gate.evidence.evidence import EARLIER_GAPS, Cause, Evidence, Gap, Pair
from gate.evidence.misfit import Wanted, misfit
from gate.evidence.source import Asked, Source, SourceError
from gate.pull import PullRequests
from gate.request import Request, Window
from gate.service import Arms, Service
from gate.slo import Indicator
from gate.template import checked_value, free_word, render
from gate.units import duration

# More at once would not make a Prometheus answer sooner; it would make it refuse.
MOST_AT_ONCE = 8
# Seconds that a source's own deadline lies before ours, so that it can still say what went wrong.
GRACE = 0.5


def gather(
    request: Request, service: Service, sources: Mapping[str, Source], within: float
) -> Evidence:
    """All evidence for one decision, `within` seconds.

    Raises UsageError for an unknown word in a template, and for a value that cannot stand in one.
    """
    end = time.monotonic() + within
    asked = _asked(request, service, end - min(GRACE, within / 10))
    _check_words(service, asked)
    questions = tuple(_questions(service))
    # For each source its own, so that a silent one keeps nobody else waiting.
    places = {one.source: threading.Semaphore(MOST_AT_ONCE) for one in questions}
    futures = [
        _started(partial(_put, one, sources, asked), places[one.source]) for one in questions
    ]
    wait(futures, timeout=max(0.0, end - time.monotonic()))
    answers = [_answer(*both, within) for both in zip(questions, futures, strict=True)]
    return _evidence(asked.window, service, answers)


@dataclass(frozen=True, slots=True)
class _Question:
    """`about` as its gap would name it; `method` of the source is called with `wanted`.

    `arms`: other than the service's own.
    """

    about: str
    source: str
    method: str
    wanted: Wanted
    arms: Arms | None = None


@dataclass(frozen=True, slots=True)
class _Earlier:
    """A pair with the second baseline."""

    pair: Pair


def _started(ask: Callable[[], Any], places: threading.Semaphore) -> Future[Any]:
    """The question, asked in a thread of its own.

    Why not an executor: its threads are joined when the process ends, so a source that ignores
    its deadline would hold the answer back. Daemon threads are left behind.
    """
    future: Future[Any] = Future()

    def run() -> None:
        with places:
            try:
                future.set_result(ask())
            except BaseException as error:  # noqa: BLE001  handed on to `_answer`
                future.set_exception(error)

    threading.Thread(target=run, name="gate-source", daemon=True).start()
    return future


def _asked(request: Request, service: Service, deadline: float) -> Asked:
    for name in request.variables:
        free_word(name)
    given = {**service.variables, **request.variables}
    if request.canary:  # a budget alone is asked about without one
        given["canary"] = request.canary
    for name, value in given.items():
        checked_value(name, value)
    if request.baseline:  # empty beside a historical baseline
        checked_value("baseline", request.baseline)
    words = {**given, "baseline": request.baseline, "step": duration(service.step)}
    window = Window.of(request, service.step, service.lag)
    return Asked(
        request=request,
        window=window,
        history=window.before(service.history),
        arms=service.arms,
        words=words,
        deadline=deadline,
    )


def _check_words(service: Service, asked: Asked) -> None:
    """Every template is filled in once before anything is asked: a typo is no failing source."""
    arms = [one for one in (service.arms, service.earlier) if one]
    selectors = [text for one in arms for text in (one.canary, one.baseline, one.health)]
    templates = [
        *(selectors if service.metrics else ()),
        *(q for metric in service.metrics for q in metric.queries.values()),
    ]
    for template in templates:
        render(template, {**asked.words, "selector": ""})
    for slo in service.slos:
        for template in (slo.queries or {}).values():
            render(template, {**asked.words, "window": duration(slo.window.length)})
    if service.change:
        pull = service.change.pull
        for template in (service.change.base, service.change.head, pull.number if pull else ""):
            render(template, asked.words)


def _questions(service: Service) -> Iterator[_Question]:
    for metric in service.metrics:
        yield _Question(f"metric {metric.name}", metric.source, "pair", metric)
        if service.earlier:
            about = f"metric {metric.name} {EARLIER_GAPS}"
            yield _Question(about, metric.source, "pair", metric, service.earlier)
    for slo in service.slos:
        if not slo.stated:
            yield _Question(f"slo {slo.name}", slo.source, "indicators", slo)
    if wanted := service.change:
        yield _Question("change", wanted.source, "change", wanted)
        if pull := wanted.pull:
            yield _Question("pull request", pull.source, "pulls", pull)


def _put(question: _Question, sources: Mapping[str, Source], asked: Asked) -> Any:
    """One question to one source; a source that cannot answer it is a Gap like any other."""
    source = sources[question.source]
    answer = getattr(source, question.method, None)
    if answer is None:
        raise SourceError(
            Cause.BAD_QUERY,
            f"source {question.source!r} ({type(source).__name__}) has no {question.method}",
        )
    return answer(question.wanted, replace(asked, arms=question.arms) if question.arms else asked)


def _answer(question: _Question, future: Future[Any], within: float) -> Any:
    """The answer, or the gap it leaves. A source may be a stranger's; it must not decide.

    Its exceptions are looked at, not raised: `sys.exit()` in a source would end the gate with 0.
    """
    if not future.done():
        return _gap(question, Cause.TIMEOUT, f"no answer within {within:g} s")
    error = future.exception()
    if isinstance(error, UsageError):
        raise error
    if isinstance(error, SourceError):
        return _gap(question, error.cause, error.message)
    if error is not None:
        return _gap(question, Cause.CRASHED, f"{type(error).__name__}: {error}")
    answer = future.result()
    fault = misfit(question.wanted, answer)
    if fault:
        return _gap(question, Cause.MALFORMED, fault)
    return _Earlier(answer) if question.arms else answer


def _gap(question: _Question, cause: Cause, detail: str) -> Gap:
    """In text that can be stored: half a surrogate pair of a broken answer is replaced."""
    return Gap(question.about, cause, detail.encode("utf-8", "replace").decode())


def _evidence(window: Window, service: Service, values: list[Any]) -> Evidence:
    pairs = tuple(value for value in values if isinstance(value, Pair))
    earlier = tuple(value.pair for value in values if isinstance(value, _Earlier))
    measured = [one for value in values if isinstance(value, tuple) for one in value]
    stated = [one for slo in service.slos for one in slo.stated]
    indicators = tuple(one for one in (*stated, *measured) if isinstance(one, Indicator))
    change = next((value for value in values if isinstance(value, Change)), None)
    gaps = [value for value in values if isinstance(value, Gap)]
    doubts = dict.fromkeys(doubt for pair in pairs for doubt in pair.doubts)
    not_asked = _not_asked(service)
    pulls = next((value for value in values if isinstance(value, PullRequests)), None)
    return Evidence(
        window, pairs, indicators, change, (*gaps, *doubts, *not_asked), earlier, pulls=pulls
    )


def _not_asked(service: Service) -> Iterator[Gap]:
    if not service.slos:
        yield Gap("budget", Cause.NOT_ASKED, "the service file declares no SLO")
    if service.change is None:
        yield Gap("change", Cause.NOT_ASKED, "the service file names no source of the change")
