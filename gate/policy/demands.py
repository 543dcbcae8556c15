"""The evidence table asked: which rows apply, and what they demand together.

Every row whose condition holds applies; of each quantity the strictest wins, so that order means
nothing and one more row never asks for less. Who owns what: the service file is the team's, the
policy the platform's, and the policy is a floor.

* `beta`, `margins`, `minutes`, `events`, `required`: the strictest of the file and the rows.
* `alpha` has two ends, and neither is the strict one. Smaller means fewer good releases rolled
  back, and bad ones found later; larger means the reverse, which for a risky change may be what one
  wants. So a row's alpha takes the place of the file's, whichever is larger; of several rows' the
  smallest wins.
* `settle` is the one thing that asks for less. It needs a row that applies for certain, not one
  whose condition could not be told; of several the longest time and the smallest beta count, and a
  row that says `settle: never` ends it, also where its condition cannot be told.

What it does to the error probabilities: a rollout is looked at again and again, its risk is fixed
but the budget moves, so that the rows may change between two looks. Each look's findings are made
from the same e-processes at that look's levels. A process crosses the loosest level that was used
whenever it crosses a stricter one, so over the rollout the guarantee is that of the loosest level.
Where the margins or the critical metrics change too (these share alpha), each setting of them is a
claim of its own, and the probabilities of the settings that were used add up: twice the level for
two of them, at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from gate.errors import UsageError, did_you_mean
from gate.metric import Metric
from gate.policy.conditions import ask, words
from gate.policy.demand import Demand, Settle, Untold
from gate.policy.direction import of_surroundings
from gate.policy.words import Facts
from gate.service import Service

# What Kayenta's judge knows nothing of; its own config says which metrics are critical.
NOT_KAYENTAS = ("alpha", "beta", "events", "required", "settle")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A row that applies, and why."""

    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What the rows that apply ask for together; None, 1, 0 and empty leave it to the file."""

    rows: tuple[Applied, ...] = ()
    alpha: float | None = None
    beta: float | None = None
    margins: float = 1.0
    minutes: float = 0.0
    events: int = 0
    required: tuple[str, ...] = ()
    settle: Settle | None = None

    def judged_like(self, other: Demands) -> bool:
        """Whether the judge is asked the same; minutes and events only count what it saw."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("alpha", "beta", "margins", "required", "settle")
        )


NONE = Demands()


def demanded(rows: Sequence[Demand], facts: Facts) -> Demands:
    """What the table asks for, given what is known before judging.

    Of a known-good version rows that hold for what surrounds it (budget, risk, the change) ask
    nothing: see `gate.policy.direction`.
    """
    if facts.get("history.known_good") is True:
        rows = [row for row in rows if not (row.when and of_surroundings(row.when))]
    answers = [(row, ask(row.when, facts) if row.when else None) for row in rows]
    certain = [row for row, answer in answers if answer is None or answer.holds]
    untold = [
        row
        for row, answer in answers
        if answer is not None and answer.holds is None and row.on_unknown is Untold.APPLY
    ]
    applying = [row for row in rows if row in certain or row in untold]
    return Demands(
        rows=tuple(Applied(name=row.name, because=because(row.when, facts)) for row in applying),
        alpha=min(_named(applying, "alpha"), default=None),
        beta=min(_named(applying, "beta"), default=None),
        margins=min(_named(applying, "margins"), default=1.0),
        minutes=max(_named(applying, "minutes"), default=0.0),
        events=max(_named(applying, "events"), default=0),
        required=tuple(sorted({one for row in applying for one in row.required})),
        settle=None if any(row.never_settle for row in applying) else _settle(certain),
    )


def because(when: str, facts: Facts) -> str:
    """Why a row with this condition applies: the facts without which it could not be told.

    >>> because("risk.level == 'high' || budget.remaining < 0.25",
    ...     {"risk.level": "high", "budget.remaining": 0.6})
    'risk.level is high'
    >>> because("budget.remaining < 0.25", {})
    'budget.remaining is not known'
    """
    if not when:
        return "it always does"
    answer = ask(when, facts)
    if not answer.holds:
        return answer.fault or f"{', '.join(answer.missing)} is not known"
    read = [word for word in words(when) if word in facts]
    matter = [word for word in read if not ask(when, _without(facts, word)).holds]
    return ", ".join(f"{word} is {_shown(facts[word])}" for word in matter or read) or when


def adapted(service: Service, demands: Demands) -> Service:
    """The service as the judge shall see it: its levels, margins and critical metrics."""
    required = set(matched(service, demands.required))
    return replace(
        service,
        alpha=service.alpha if demands.alpha is None else demands.alpha,
        beta=service.beta if demands.beta is None else min(service.beta, demands.beta),
        metrics=tuple(_adapted(one, demands, required) for one in service.metrics),
    )


def matched(service: Service, patterns: Sequence[str]) -> tuple[str, ...]:
    """The service's metrics that these patterns name, in the service's order."""
    return tuple(
        one.name
        for one in service.metrics
        if any(fnmatchcase(one.name, pattern) for pattern in patterns)
    )


def check(rows: Sequence[Demand], service: Service) -> None:
    """Raises UsageError where the table asks for what this service cannot give.

    Of every row, also one that does not apply now: a table must not break at the worst moment.
    """
    complaints = [one for row in rows for one in (*_unmatched(row, service), *_deaf(row, service))]
    if complaints:
        raise UsageError("\n".join(complaints))


def loosest(rows: Sequence[Demand], service: Service) -> tuple[float, float] | None:
    """The largest alpha and beta that the table may ask for of the service, soft passes included.

    None where they are the same whatever the facts are.
    """
    always = [row for row in rows if not row.when]
    alphas = {
        min(_named(always, "alpha"), default=service.alpha),
        *(
            min([one, *_named(always, "alpha")])
            for one in _named([row for row in rows if row.when], "alpha")
        ),
    }
    fixed = min([service.beta, *_named(always, "beta")])
    betas = {fixed, *(min(fixed, one) for one in _named(rows, "beta"))}
    betas.update(one.beta for one in _named(rows, "settle"))
    if len(alphas) == len(betas) == 1:
        return None
    return max(alphas), max(betas)


def shifting(rows: Sequence[Demand]) -> bool:
    """Whether margins or critical metrics depend on facts, and so may change between two looks."""
    return any(row.when and (row.margins is not None or row.required) for row in rows)


def _named(rows: Sequence[Demand], quantity: str) -> list[Any]:
    values = (getattr(row, quantity) for row in rows)
    return [value for value in values if value is not None]


def _settle(certain: Sequence[Demand]) -> Settle | None:
    allowed: list[Settle] = _named(certain, "settle")
    if not allowed:
        return None
    return Settle(after=max(one.after for one in allowed), beta=min(one.beta for one in allowed))


def _adapted(metric: Metric, demands: Demands, required: set[str]) -> Metric:
    margin = metric.margin if demands.margins == 1.0 else metric.margin.scaled(demands.margins)
    return replace(metric, margin=margin, critical=metric.critical or metric.name in required)


def _unmatched(row: Demand, service: Service) -> Iterator[str]:
    names = [one.name for one in service.metrics]
    for pattern in row.required:
        if not matched(service, (pattern,)):
            yield (
                f"evidence {row.name!r} requires {pattern!r}, which is no metric of {service.name}"
                f"{did_you_mean(pattern, names)}; its metrics: {', '.join(names)}"
            )


def _deaf(row: Demand, service: Service) -> Iterator[str]:
    if service.kayenta is None:
        return
    asked = [name for name in NOT_KAYENTAS if getattr(row, name)]
    if asked:
        yield (
            f"evidence {row.name!r} asks for {', '.join(asked)}, which Kayenta's judge, chosen by "
            f"{service.name}, does not know; for it ask for minutes and margins only"
        )


def _without(facts: Facts, word: str) -> Facts:
    return {name: value for name, value in facts.items() if name != word}


def _shown(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.3g}" if isinstance(value, float) else str(value)
