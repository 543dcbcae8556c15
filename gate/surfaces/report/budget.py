"""Error budgets for people: a line each beside a decision, and a page of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from gate.budget.alerts import Alarm, Rate
from gate.budget.budget import Budget, allowed
from gate.budget.margin import BudgetMargin
from gate.evidence.evidence import Gap
from gate.service import Service
from gate.slo import Budgeting
from gate.surfaces.report.numbers import moment, quantity, rfc3339, roughly
from gate.surfaces.report.page import Page, Section, printable
from gate.units import duration

SCHEMA = "gate.budget/v1"
BAR = 30
COLUMNS = ("burn over", "rate", "alerts above", "fires")


def told(budget: Budget) -> str:
    """One line: what is left, how fast it goes, and what fires."""
    return "; ".join([_left(budget), *_doubts(budget), *map(_fires, _firing(budget))])


def derived(margin: BudgetMargin) -> str:
    """How a margin came from the budget, with its formula."""
    by = quantity(margin.absolute, "of events")
    if margin.remaining is None:
        return (
            f"{margin.metric} may be worse by {by}, the least the file allows: what is left of "
            f"{margin.slo} is not known"
        )
    formula = (
        f"{margin.share:.6g} x {max(margin.remaining, 0.0):.3g} left x "
        f"{allowed(margin.objective):.6g} x {duration(margin.window)} / {duration(margin.within)}"
    )
    least = ", raised to the least the file allows" if margin.floored else ""
    return (
        f"{margin.metric} may be worse by {by}: all traffic for {duration(margin.within)} then "
        f"spends {quantity_of(margin.share)} of what is left of {margin.slo} ({formula}){least}"
    )


def budget_page(
    service: Service, at: float, budgets: Sequence[Budget], gaps: Sequence[Gap]
) -> Page:
    """All of it."""
    unseen = Section(title="Not seen", lines=tuple(str(gap) for gap in gaps))
    page: Page = printable(
        Page(
            title="Budget",
            subject=service.name,
            context=(f"as of {moment(at)}",),
            sections=(
                *(section for budget in budgets for section in _sections(budget)),
                *([unseen] if gaps else []),
            ),
        )
    )
    return page


def budget_json(
    service: Service, at: float, budgets: Sequence[Budget], gaps: Sequence[Gap]
) -> bytes:
    """One JSON object and a newline; a number that is not known is null."""
    document = budget_document(service, at, budgets, gaps)
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def budget_document(
    service: Service, at: float, budgets: Sequence[Budget], gaps: Sequence[Gap]
) -> dict[str, Any]:
    """The JSON object as plain data."""
    return {
        "schema": SCHEMA,
        "service": {"name": service.name, "tier": service.tier},
        "as_of": rfc3339(at),
        "budgets": budgets,
        "gaps": gaps,
    }


def named(budget: Budget) -> str:
    """`availability 99.9% over 30d`."""
    window = duration(budget.window)
    if budget.elapsed is not None:
        window = f"a calendar window ({budget.elapsed:.0%} of it passed)"
    return f"{budget.slo} {quantity_of(budget.objective)} over {window}"


def quantity_of(share: float) -> str:
    """A share of an objective as it would be written: `99.95%`."""
    return f"{100 * share:.6g}%"


def _left(budget: Budget) -> str:
    if budget.remaining is None:
        return f"{named(budget)}: what is left is not known: {budget.unknown}"
    text = f"{named(budget)}: {budget.remaining:.0%} of the budget left"
    over = budget.projected_over
    if over is not None and (rate := budget.rate(over)) is not None:
        text += f", burning at {rate:.2g}x over {duration(over)}"
        if budget.exhausted_in is not None and budget.remaining > 0:
            text += f", gone in {roughly(budget.exhausted_in)} at that rate"
    return text


def _doubts(budget: Budget) -> Iterator[str]:
    if budget.remaining is not None and budget.coverage is not None and budget.coverage < 1:
        yield f"{budget.coverage:.1%} of the time was seen"
    if "mean" in budget.method:
        yield budget.method
    if budget.started_before:
        yield "a page already fired when the canary started"


def _firing(budget: Budget) -> list[Alarm]:
    return [one for one in budget.alarms if one.firing]


def _fires(alarm: Alarm) -> str:
    return (
        f"{alarm.severity} fires: over {alarm.share:.0%} of the budget in {duration(alarm.long)}, "
        f"and still over {duration(alarm.short)}"
    )


def _sections(budget: Budget) -> Iterator[Section]:
    """What is left, and then how fast it goes."""
    left = (*_consumed(budget), *_projected(budget), _origin(budget))
    yield Section(title=named(budget), lines=left)
    if budget.rates:
        yield Section(
            title=f"{budget.slo}: how fast it burns (1x spends the budget exactly)",
            columns=COLUMNS,
            rows=tuple(_row(budget, rate) for rate in budget.rates),
            lines=tuple(_alerting(budget)),
        )


def _row(budget: Budget, rate: Rate) -> tuple[str, ...]:
    """A rate, and the alerts whose long window it is over."""
    alarms = [one for one in budget.alarms if one.long == rate.window]
    limits = " ".join(f"{one.threshold:.4g} ({one.severity})" for one in alarms)
    return (
        duration(rate.window),
        "?" if rate.burn is None else f"{rate.burn:.3g}x",
        limits or "-",
        " ".join(_state(one) for one in alarms) or "-",
    )


def _state(alarm: Alarm) -> str:
    return "?" if alarm.firing is None else "yes" if alarm.firing else "no"


def _alerting(budget: Budget) -> Iterator[str]:
    yield from map(_fires, _firing(budget))
    yield from _silent(budget)
    if budget.started_before is not None:
        already = "already fired" if budget.started_before else "did not fire yet"
        yield f"a page {already} when the canary started"


def _silent(budget: Budget) -> Iterator[str]:
    """Alerts that do not fire although they may have to, by the reason why."""
    reasons: dict[str, dict[str, None]] = {}
    for alarm in budget.alarms:
        if alarm.why:
            state = "cannot be told" if alarm.firing is None else "does not fire"
            which = f"{alarm.severity} over {duration(alarm.long)}"
            reasons.setdefault(f"{state}: {alarm.why}", {})[which] = None
    for why, alerts in reasons.items():
        yield f"{', '.join(alerts)} {why}"


def _consumed(budget: Budget) -> Iterator[str]:
    if budget.remaining is None or budget.consumed is None:
        yield f"what is left is not known: {budget.unknown}"
        return
    yield f"{bar(budget.remaining)} {budget.remaining:.1%} left"
    sli = 1 - budget.consumed * budget.allowed
    yield f"{budget.consumed:.1%} consumed: {_amount(budget)}; SLI {quantity_of(sli)}"


def _amount(budget: Budget) -> str:
    """In events where they were counted, in time without service where not."""
    if budget.bad is not None and budget.total is not None:
        kind = "events" if budget.budgeting is Budgeting.OCCURRENCES else "slices"
        most = budget.allowed * budget.total
        return f"{budget.bad:,.0f} bad {kind} of {most:,.0f} allowed, {budget.total:,.0f} in all"
    length = budget.window * (1.0 if budget.elapsed is None else budget.elapsed)
    most = budget.allowed * length
    spent = (budget.consumed or 0.0) * most
    return f"as much as {roughly(spent)} without service, of {roughly(most)} allowed"


def _projected(budget: Budget) -> Iterator[str]:
    over = budget.projected_over
    if budget.remaining is None or over is None:
        return
    if budget.remaining <= 0:
        yield "nothing is left"
    elif budget.exhausted_in is not None:
        yield f"at the {duration(over)} burn the budget is gone in {roughly(budget.exhausted_in)}"
    else:
        yield f"at the {duration(over)} burn the budget lasts"


def _origin(budget: Budget) -> str:
    seen = "" if budget.coverage is None else f"{budget.coverage:.1%} of the time seen; "
    source = f" (source {budget.source})" if budget.source else ""
    return f"{seen}{budget.method or 'as written in the recording'}{source}"


def bar(remaining: float) -> str:
    """What is left of the whole, at a glance; overspent is empty, and marked.

    >>> bar(0.6), bar(-0.2)
    ('[##################............]', '[!.............................]')
    """
    full = round(BAR * min(1.0, max(0.0, remaining)))
    if remaining < 0:
        return f"[!{'.' * (BAR - 1)}]"
    return f"[{'#' * full}{'.' * (BAR - full)}]"
