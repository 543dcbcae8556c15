"""How often may a metric of an analysis fail, be inconclusive or err, until Argo says so?

Argo compares strictly: a limit must be exceeded. A metric that took `count` measurements without
exceeding one is Successful. An error counts toward no count, and is tried again after ten seconds
(`analysis/analysis.go`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gate.finding import Finding
from gate.rollout_lint.part import Part

ERROR_RETRY = 10.0  # seconds
DEFAULT_ERRORS = 4
FEWEST_ERRORS = 6  # a minute; a pod of the gate needs some of it to start anew
MOST_ERRORS = 720  # two hours of an unwatched canary
RECOMMENDED = (
    "write `interval: 30s`, `consecutiveSuccessLimit: 1`, `failureLimit: 0`, "
    "`inconclusiveLimit: 60`, `consecutiveErrorLimit: 30`, and no `count`"
)
_LIMITS = (
    "count", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit",
    "consecutiveSuccessLimit",
)  # fmt: skip


def limits(metric: Part, *, gate: bool) -> Iterator[Finding]:
    """The traps in a metric's counting; `gate`: it asks us, and each answer is a verdict."""
    unread = [metric[key] for key in _LIMITS if metric[key].written and metric[key].number is None]
    for part in unread:
        told = f"{part.place[-1]} is {part.value!r}: whether the gate can fail is not known"
        yield part.odd("unreadable", told, "write the number")
    if not unread:
        yield from _counted(metric)
        if gate:
            yield from _asked(metric)


def count(metric: Part) -> int | None:
    """The measurements after which the metric is over; None for no end."""
    told = metric["count"].number
    if not told:
        return None if metric["interval"].written else 1
    return told


def _limit(metric: Part, key: str, usual: int = 0) -> int:
    told = metric[key].number
    return usual if told is None else told


def _counted(metric: Part) -> Iterator[Finding]:
    """Whether the measurements can run out before a limit is exceeded."""
    failures, holds = _limit(metric, "failureLimit"), _limit(metric, "inconclusiveLimit")
    if failures < 0:
        yield metric["failureLimit"].wrong(
            "failure-limit-off",
            "failureLimit -1 switches failing off: rollback is answered, and never acted on",
            "write `failureLimit: 0`",
        )
        return
    most = count(metric)
    if most is None or _limit(metric, "consecutiveSuccessLimit") > 0:
        return
    times = f"{most} measurement{'s' if most > 1 else ''}"
    if failures >= most:
        yield metric["failureLimit"].wrong(
            "failure-limit",
            f"failureLimit {failures} is never exceeded by {times}: "
            "even if each of them fails, the analysis is Successful",
            RECOMMENDED,
        )
    elif holds >= most:
        yield metric["inconclusiveLimit"].wrong(
            "inconclusive-limit",
            f"inconclusiveLimit {holds} is never exceeded by {times}: "
            "if each of them is inconclusive, the analysis is Successful",
            RECOMMENDED,
        )
    elif failures + holds >= most:
        yield metric["failureLimit"].wrong(
            "limits-together",
            f"{failures} failures and {holds} holds exceed no limit, and fill {times}: "
            "the analysis is Successful without one success",
            RECOMMENDED,
        )


def _asked(metric: Part) -> Iterator[Finding]:
    """What counting means where each measurement is a verdict of the gate."""
    failures, most = _limit(metric, "failureLimit"), count(metric)
    if failures > 0 and (most is None or failures < most):
        yield metric["failureLimit"].odd(
            "failure-limit",
            f"goes on after {failures} rollback verdicts, each of which is sure already",
            "write `failureLimit: 0`",
        )
    wins = _limit(metric, "consecutiveSuccessLimit")
    if most is None and not wins:
        yield metric["interval"].wrong(
            "endless",
            "interval without count asks for ever, also after a promote; when something else "
            "ends the analysis, it is Successful whatever the last answer was",
            "add `consecutiveSuccessLimit: 1`",
        )
    if most is not None and _limit(metric, "inconclusiveLimit") > 0 and not wins:
        yield metric["count"].odd(
            "last-answer",
            f"the analysis is Successful after {most} answers, also if the last is a hold",
            "write `consecutiveSuccessLimit: 1` instead of `count`",
        )
    if _limit(metric, "inconclusiveLimit") == 0:
        yield metric["inconclusiveLimit"].odd(
            "first-hold",
            "the first hold pauses the rollout until a person resumes it, and a canary that has "
            "just started is always held",
            "add `inconclusiveLimit: 60` and `interval: 30s`",
        )
    yield from _errors(metric)


def _errors(metric: Part) -> Iterator[Finding]:
    part = metric["consecutiveErrorLimit"]
    errors = _limit(metric, "consecutiveErrorLimit", DEFAULT_ERRORS)
    waited = f"{(errors + 1) * ERROR_RETRY:.0f} s"
    if errors < FEWEST_ERRORS:
        usual = "" if part.written else " (the default)"
        yield part.odd(
            "error-limit",
            f"consecutiveErrorLimit {errors}{usual}: errors are tried again every 10 s, so a "
            f"restart of the gate of {waited} aborts every rollout",
            "write `consecutiveErrorLimit: 30`",
        )
    if errors > MOST_ERRORS:
        yield part.odd(
            "error-limit",
            f"consecutiveErrorLimit {errors}: without an answer the canary keeps its traffic for "
            f"{(errors + 1) * ERROR_RETRY / 3600:.0f} hours, bad or not",
            "write `consecutiveErrorLimit: 30`",
        )
    if metric["initialDelay"].written:
        yield metric["initialDelay"].odd(
            "initial-delay",
            "the gate judges a rollout from when it is first asked: what goes wrong during "
            "initialDelay is not seen",
            "leave it out; `warmup` in the service file is for cold starts",
        )
