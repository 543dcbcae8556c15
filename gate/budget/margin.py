"""How much worse a canary may be, from what is left of the error budget.

The budget allows a share `1 - objective` of the events in the SLO's window to be bad. A canary
whose share of bad events is higher than the baseline's by `m`, and which takes all traffic for a
time `within`, spends `m * within / ((1 - objective) * window)` of the whole budget beyond what the
baseline spends. It may spend `share` of the `remaining` budget, so the margin is

    m = share * max(remaining, 0) * (1 - objective) * window / within

and never less than `at_least`. Traffic is taken to be even: `within` in a quiet night spends less.

A worked example: 99.9 % over 30 days, 60 % of the budget left. A tenth of that within a day is
0.1 * 0.6 * 0.001 * 30 d / 1 d = 0.18 %: beside a baseline with 0.05 % errors a canary may have
0.23 %. With 10 % left it is 0.03 %; with nothing left `at_least`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gate.budget.budget import Budget, allowed
from gate.metric import BudgetShare, Margin, Metric
from gate.service import Service
from gate.slo import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetMargin:
    """How the margin of one metric was derived; `objective` and `window` (seconds) of its SLO.

    `remaining` is None where what is left is not known: the margin is then `at_least`.
    """

    metric: str
    slo: str
    share: float
    within: float
    at_least: float
    objective: float
    window: float
    remaining: float | None
    absolute: float

    @property
    def floored(self) -> bool:
        """Whether it is the least it can be."""
        return self.absolute <= self.at_least


def most(spends: BudgetShare, objective: float, window: float, remaining: float = 1.0) -> float:
    """The absolute margin with so much of the budget left, without its floor.

    >>> day, a_tenth = 86_400.0, BudgetShare('availability', 0.10, 86_400.0, 0.0002)
    >>> round(most(a_tenth, 0.999, 30 * day, remaining=0.6), 9)
    0.0018
    """
    left = max(remaining, 0.0)
    return spends.share * left * allowed(objective) * window / spends.within


def margin_slos(service: Service) -> tuple[Slo, ...]:
    """The objectives that some metric's margin comes from."""
    names = {metric.spends.slo for metric in service.metrics if metric.spends}
    return tuple(slo for slo in service.slos if slo.name in names)


def with_budget_margins(
    service: Service, budgets: Sequence[Budget]
) -> tuple[Service, tuple[BudgetMargin, ...]]:
    """The service with every margin that comes from a budget derived, and how."""
    by_slo = {budget.slo: budget for budget in budgets}
    metrics, found = [], []
    for metric in service.metrics:
        if metric.spends is None:
            metrics.append(metric)
            continue
        derived = _derived(service, metric, metric.spends, by_slo)
        found.append(derived)
        metrics.append(replace(metric, margin=Margin(1.0, derived.absolute)))
    return replace(service, metrics=tuple(metrics)), tuple(found)


def _derived(
    service: Service, metric: Metric, spends: BudgetShare, budgets: Mapping[str, Budget]
) -> BudgetMargin:
    slo = next(one for one in service.slos if one.name == spends.slo)
    budget = budgets.get(spends.slo)
    remaining = budget.remaining if budget else None
    absolute = spends.at_least
    if remaining is not None:
        absolute = max(absolute, most(spends, slo.objective, slo.window.length, remaining))
    return BudgetMargin(
        metric=metric.name,
        slo=slo.name,
        share=spends.share,
        within=spends.within,
        at_least=spends.at_least,
        objective=slo.objective,
        window=slo.window.length,
        remaining=remaining,
        absolute=absolute,
    )
