"""Ask every source once, in parallel, by one deadline; whatever fails becomes a `Gap`.

A source that raises anything at all, or is still silent at the deadline, costs its own answer and
nothing else. Nothing here turns a failure into a number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

from gate.change import Change
from gate.errors import UsageError
from gate.evidence.evidence import Cause, Evidence, Gap, Pair
from gate.evidence.source import Asked, Source, SourceError
from gate.request import Request, Window
from gate.service import Service
from gate.slo import Indicator
from gate.template import render
from gate.units import duration

# More at once would not make a Prometheus answer sooner; it would make it refuse.
MOST_AT_ONCE = 8


def gather(
    request: Request, service: Service, sources: Mapping[str, Source], within: float
) -> Evidence:
    """All evidence for one decision, `within` seconds; raises UsageError for an unknown word."""
    asked = _asked(request, service, time.monotonic() + within)
    _check_words(service, asked)
    questions = dict(_questions(service, sources, asked))
    places = threading.Semaphore(MOST_AT_ONCE)
    futures = {about: _started(ask, places) for about, ask in questions.items()}
    wait(futures.values(), timeout=max(0.0, asked.deadline - time.monotonic()))
    answers = [_answer(about, future, within) for about, future in futures.items()]
    return _evidence(asked.window, service, answers)


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
    words = {
        **service.variables,
        **request.variables,
        "canary": request.canary,
        "baseline": request.baseline,
        "step": duration(service.step),
    }
    window = Window.of(request, service.step, service.lag)
    return Asked(request=request, window=window, arms=service.arms, words=words, deadline=deadline)


def _check_words(service: Service, asked: Asked) -> None:
    """Every template is filled in once before anything is asked: a typo is no failing source."""
    arms = (service.arms.canary, service.arms.baseline, service.arms.health)
    templates = [*arms, *(q for metric in service.metrics for q in metric.queries.values())]
    for template in templates:
        render(template, {**asked.words, "selector": ""})
    for slo in service.slos:
        for template in (slo.queries or {}).values():
            render(template, {**asked.words, "window": duration(slo.window)})
    if service.change:
        for template in (service.change.base, service.change.head):
            render(template, asked.words)


def _questions(
    service: Service, sources: Mapping[str, Source], asked: Asked
) -> Iterator[tuple[str, Callable[[], Any]]]:
    for metric in service.metrics:
        yield f"metric {metric.name}", partial(_put, sources, metric.source, "pair", metric, asked)
    for slo in service.slos:
        if not slo.stated:
            yield f"slo {slo.name}", partial(_put, sources, slo.source, "indicators", slo, asked)
    if wanted := service.change:
        yield "change", partial(_put, sources, wanted.source, "change", wanted, asked)


def _put(
    sources: Mapping[str, Source], name: str, method: str, wanted: object, asked: Asked
) -> Any:
    """One question to one source; a source that cannot answer it is a Gap like any other."""
    answer = getattr(sources[name], method, None)
    if answer is None:
        raise SourceError(
            Cause.BAD_QUERY, f"source {name!r} ({type(sources[name]).__name__}) has no {method}"
        )
    return answer(wanted, asked)


def _answer(about: str, future: Future[Any], within: float) -> Any:
    if not future.done():
        return Gap(about, Cause.TIMEOUT, f"no answer within {within:g} s")
    try:
        answer = future.result()
    except SourceError as error:
        return Gap(about, error.cause, error.message)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001  a source may be a stranger's; it must not decide
        return Gap(about, Cause.CRASHED, f"{type(error).__name__}: {error}")
    if not isinstance(answer, (Pair, tuple, Change)):
        return Gap(about, Cause.MALFORMED, f"the source answered with {type(answer).__name__}")
    return answer


def _evidence(window: Window, service: Service, values: list[Any]) -> Evidence:
    pairs = tuple(value for value in values if isinstance(value, Pair))
    measured = [one for value in values if isinstance(value, tuple) for one in value]
    stated = [one for slo in service.slos for one in slo.stated]
    indicators = tuple(one for one in (*stated, *measured) if isinstance(one, Indicator))
    change = next((value for value in values if isinstance(value, Change)), None)
    gaps = [value for value in values if isinstance(value, Gap)]
    doubts = dict.fromkeys(doubt for pair in pairs for doubt in pair.doubts)
    not_asked = _not_asked(service)
    return Evidence(window, pairs, indicators, change, (*gaps, *doubts, *not_asked))


def _not_asked(service: Service) -> Iterator[Gap]:
    if not service.slos:
        yield Gap("budget", Cause.NOT_ASKED, "the service file declares no SLO")
    if service.change is None:
        yield Gap("change", Cause.NOT_ASKED, "the service file names no source of the change")
