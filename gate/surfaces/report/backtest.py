"""A backtest told: how many answers moved where, which ones, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from gate.backtest import Again, Backtest
from gate.policy.policy import Policy
from gate.surfaces.report.numbers import moment, rfc3339
from gate.surfaces.report.page import Page, Section, printable
from gate.verdict import Outcome

SCHEMA = "gate.replay/v1"
# Where an answer can go; None is "could not decide".
ENDS: tuple[Outcome | None, ...] = (*Outcome, None)
COLUMNS = ("stored as", *(str(one or "undecided") for one in ENDS), "in all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked: which policy, of which service (None: all), since when (Unix seconds)."""

    policy: Policy
    service: str | None
    since: float


def backtest_page(asked: Asked, found: Backtest) -> Page:
    """The table of all answers, what became of the promotes, and the answers that changed."""
    policy = asked.policy
    page: Page = printable(
        Page(
            title="Replay",
            subject=f"{asked.service or 'all services'}  under policy {policy.name} "
            f"({policy.sha256[:8]})",
            context=tuple(_context(asked, found)),
            sections=tuple(_sections(found)),
        )
    )
    return page


def backtest_json(asked: Asked, found: Backtest) -> bytes:
    """One JSON object and a newline."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "policy": {"name": asked.policy.name, "sha256": asked.policy.sha256},
        "service": asked.service,
        "since": rfc3339(asked.since),
        "decisions": found.decisions,
        "changes": found.changes,
        "rejudged": found.rejudged,
        "moves": [
            {"before": before, "after": after, "decisions": found.moves.get((before, after), 0)}
            for before in Outcome
            for after in ENDS
        ],
        "promoted": [
            {"became": result, "promotes": of_all, "not_promoted_now": held}
            for result, (of_all, held) in found.promoted.items()
        ],
        "unknown_facts": dict(sorted(found.unknown.items())),
        "changed": [_changed(one) for one in found.changed],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _changed(one: Again) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in one.__dataclass_fields__}
    return {**told, "at": rfc3339(one.at)}


def _context(asked: Asked, found: Backtest) -> Iterator[str]:
    yield (
        f"{found.decisions:,} decisions since {moment(asked.since)}, {found.changes:,} would have "
        "come out otherwise"
    )
    if found.rejudged:
        yield (
            f"{found.rejudged:,} were judged again, for the policy asks for other evidence; of the "
            "rest the stored facts were enough"
        )
    for word, count in sorted(found.unknown.items(), key=lambda one: (-one[1], one[0])):
        yield f"{word} was not known in {count:,} of them"


def _sections(found: Backtest) -> Iterator[Section]:
    yield Section(
        title="Answers under this policy",
        columns=COLUMNS,
        rows=tuple(_row(found, before) for before in Outcome),
    )
    if found.promoted:
        lines = tuple(
            f"{of_all:,} promotes of versions that became {result.replace('_', ' ')}: the policy "
            f"would not have promoted {held:,}"
            for result, (of_all, held) in found.promoted.items()
        )
        yield Section(title="What became of what was promoted", lines=lines)
    if found.changed:
        newest = "" if len(found.changed) == found.changes else f", the newest {len(found.changed)}"
        yield Section(
            title=f"Changed{newest}", lines=tuple(line for line in map(_line, found.changed))
        )


def _row(found: Backtest, before: Outcome) -> tuple[str, ...]:
    counts = [found.moves.get((before, after), 0) for after in ENDS]
    return (str(before), *(f"{one:,}" for one in counts), f"{sum(counts):,}")


def _line(one: Again) -> str:
    after = one.after or "undecided"
    result = f" (it became {one.result.replace('_', ' ')})" if one.result else ""
    return (
        f"{one.id}  {moment(one.at)}  {one.service} {one.version}{result}: "
        f"{one.before} -> {after}: {'; '.join(one.why) or 'no rule says why'}"
    )
