"""What a sweep over a policy's states found."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from gate.policy.consistency import IMPLICATIONS
from gate.policy.policy import Policy
from gate.policy.sweep import Kind, Strange, Sweep
from gate.surfaces.report.known import listed
from gate.surfaces.report.page import Page, Section, printable

SCHEMA = "gate.policy_check/v1"
_TITLES = {
    Kind.MILDER: "Fault: bad news make the verdict milder",
    Kind.UNSHOWN: "Fault: promote is said of what was not shown safe",
    Kind.UNKNOWN: "To look at: only a missing fact decides",
    Kind.SILENT: "To look at: no rule speaks, so it holds",
}


def sweep_page(policy: Policy, found: Sweep) -> Page:
    """An example of each thing found, faults first, and what was taken for granted."""
    strange = [
        Section(title=f"{_TITLES[one.kind]} ({_times(one.states)})", lines=tuple(_strange(one)))
        for one in found.found
    ]
    taken = Section(title="Taken for granted", lines=tuple(one.sentence for one in IMPLICATIONS))
    page: Page = printable(
        Page(
            title="Policy check",
            subject=f"{policy.name} ({policy.sha256[:8]}): {summary(found)}",
            context=(_looked_at(found),),
            sections=(*strange, taken),
        )
    )
    return page


def summary(found: Sweep) -> str:
    """`no faults`, `2 faults`."""
    number = len(found.faults)
    return {0: "no faults", 1: "1 fault"}.get(number, f"{number} faults")


def sweep_json(policy: Policy, found: Sweep) -> bytes:
    """One JSON object and a newline."""
    body = {
        "schema": SCHEMA,
        "policy": {"name": policy.name, "sha256": policy.sha256},
        "faults": len(found.faults),
        "found": [{"fault": one.kind.fault, **_plain(one)} for one in found.found],
        "states": found.states,
        "combinations": found.possible,
        "whole": found.whole,
        "facts": found.words,
        "taken_for_granted": [one.sentence for one in IMPLICATIONS],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _times(states: int) -> str:
    return "1 state" if states == 1 else f"{states:,} states"


def _plain(one: Strange) -> dict[str, object]:
    plain: dict[str, object] = orjson.loads(orjson.dumps(one))
    return plain


def _looked_at(found: Sweep) -> str:
    how = "every one that can be" if found.whole else "a sample; --states looks at more"
    return (
        f"{found.states:,} states of {found.possible:,} combinations "
        f"of {len(found.words)} facts: {how}"
    )


def _strange(one: Strange) -> Iterator[str]:
    if one.facts:
        yield listed(one.facts)
    yield f"{one.outcome}: {', '.join(one.rules)}"
    if one.news:
        yield f"with {listed(one.news)}"
        yield f"{one.outcome_after}: {', '.join(one.rules_after)}"
