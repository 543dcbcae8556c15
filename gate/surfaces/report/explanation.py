"""Why a policy said what it said, and the smallest change that would turn it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from gate.analysis.comparison import Analysis, Comparison, Finding
from gate.metric import Direction
from gate.policy.advice import wait
from gate.policy.direction import GOING_BACK
from gate.policy.explain import Explanation, Heard
from gate.policy.flip import Change, Flip
from gate.surfaces.report.known import listed, value
from gate.surfaces.report.numbers import quantity
from gate.surfaces.report.page import Page, Section, printable
from gate.surfaces.report.report import voiced
from gate.surfaces.report.words import margin
from gate.verdict import Outcome, Verdict

SCHEMA = "gate.policy_explanation/v1"
AUDITED = "Would have said (audited)"
_VALUES = {True: "true", False: "false", None: "unknown"}
# Which comparisons stand behind a fact of the analysis.
_BEHIND = {
    "analysis.worse": Finding.WORSE,
    "analysis.critical_worse": Finding.WORSE,
    "analysis.unclear": Finding.UNCLEAR,
    "analysis.unfit": Finding.UNFIT,
}


def explanation_page(told: Explanation, subject: str, analysis: Analysis | None) -> Page:
    """Each rule as a section, then what would turn the verdict.

    With the analysis behind the facts, metrics are named and their limits, not facts about them.
    """
    verdict = told.verdict
    rules = tuple(
        Section(title=f"{one.rule.name}: {_VALUES[one.holds]}", lines=tuple(_rule(one)))
        for one in told.heard
    )
    page: Page = printable(
        Page(
            title=verdict.headline,
            subject=subject,
            context=(
                f"policy {told.policy.name} ({told.policy.sha256[:8]})",
                *(f"these facts contradict each other: {one}" for one in told.contradictions),
            ),
            sections=(
                Section(title="Because", lines=tuple(map(voiced, verdict.reasons))),
                *_beside(verdict),
                *rules,
                Section(title="What would turn it", lines=tuple(_turns(told, analysis))),
            ),
        )
    )
    return page


def explanation_json(told: Explanation, subject: str, analysis: Analysis | None) -> bytes:
    """One JSON object and a newline."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "subject": subject,
        "policy": {"name": told.policy.name, "sha256": told.policy.sha256},
        "intent": told.intent,
        "verdict": told.verdict.outcome,
        "enforced": told.verdict.enforced,
        "reasons": told.verdict.reasons,
        "warnings": told.verdict.warnings,
        "audited": told.verdict.audited,
        "facts": told.facts,
        "contradictions": told.contradictions,
        "rules": [_rule_json(one) for one in told.heard],
        "flips": [
            {"outcome": one.outcome, "rules": one.rules, "changes": one.changes,
             "told": _told(one, analysis), "waits_for": tuple(_waits(one, analysis))}
            for one in told.flips.found
        ],
        "flips_tried": told.flips.tried,
        "flips_bounded": told.flips.bounded,
    }  # fmt: skip
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _beside(verdict: Verdict) -> Iterator[Section]:
    """What was told and counts for nothing."""
    for title, remarks in (("Warnings", verdict.warnings), (AUDITED, verdict.audited)):
        if remarks:
            yield Section(title=title, lines=tuple(map(voiced, remarks)))


def _rule(one: Heard) -> Iterator[str]:
    yield f"when {one.rule.when}"
    if one.read:
        yield listed(one.read)
    for remark in one.said:
        counts = "" if one.rule.counts else " (does not count)"
        yield f"says {remark.outcome or 'a warning'}: {remark.message}{counts}"


def _rule_json(one: Heard) -> dict[str, Any]:
    return {
        "name": one.rule.name,
        "value": one.holds,
        "when": one.rule.when,
        "then": one.rule.then,
        "mode": one.rule.mode,
        "on_unknown": one.rule.on_unknown,
        "read": one.read,
        "said": one.said,
    }


def _turns(told: Explanation, analysis: Analysis | None) -> Iterator[str]:
    if GOING_BACK in told.verdict.reasons:
        yield "nothing: going back is never blocked"
        return
    for flip in told.flips.found:
        yield _told(flip, analysis)
    # A wait belongs to a metric, however many flips it stands in.
    waits = (line for flip in told.flips.found for line in _waits(flip, analysis))
    yield from dict.fromkeys(waits)
    if told.flips.bounded:
        yield f"the search was cut off after {told.flips.tried:,} combinations; there may be more"
    elif not told.flips.found:
        yield "nothing near: no few facts at the values that the conditions name would turn it"


def _told(flip: Flip, analysis: Analysis | None) -> str:
    parts: dict[str, None] = {}
    for change in flip.changes:
        parts.update(dict.fromkeys(_parts(flip, change, analysis)))
    rules = "" if flip.outcome is Outcome.PROMOTE else f" ({', '.join(flip.rules)})"
    return f"would {_verb(flip.outcome)} if {' and '.join(parts)}{rules}"


def _verb(outcome: Outcome) -> str:
    return "roll back" if outcome is Outcome.ROLLBACK else outcome


def _parts(flip: Flip, change: Change, analysis: Analysis | None) -> Iterator[str]:
    behind = _behind(flip, change, analysis)
    for one in behind:
        yield _shown(one)
    if change.word == "evidence.enough" and change.value is True:
        yield "as much were seen as the policy's evidence table asks for"
    elif not behind:
        yield f"{change.word} were {change.told} (it is {value(change.was)})"


def _behind(flip: Flip, change: Change, analysis: Analysis | None) -> list[Comparison]:
    """The comparisons that would have to come out otherwise, for a promote."""
    if analysis is None or flip.outcome is not Outcome.PROMOTE:
        return []
    if change.word == "analysis.safe":
        bad = [one for one in analysis.comparisons if one.finding is not Finding.NOT_WORSE]
        return [one for one in bad if one.critical]
    finding = _BEHIND.get(change.word)
    return [one for one in analysis.comparisons if one.finding is finding]


def _shown(one: Comparison) -> str:
    side = "<=" if one.worse is Direction.HIGHER else ">="
    limit = quantity(one.limit, one.unit) if one.limit is not None else "its limit"
    now = f"; it is {quantity(one.canary, one.unit)}" if one.canary is not None else ""
    return f"{one.label} were shown {side} {limit} ({margin(one.margin, one.unit)}{now})"


def _waits(flip: Flip, analysis: Analysis | None) -> Iterator[str]:
    behind = (one for change in flip.changes for one in _behind(flip, change, analysis))
    for one in behind:
        if one.finding is Finding.UNCLEAR:
            yield f"{one.label}: {wait(one)}"
        elif one.finding is Finding.WORSE:
            yield f"{one.label}: was shown worse; a fixed version is a new rollout"
        else:
            yield f"{one.label}: {one.why}"
