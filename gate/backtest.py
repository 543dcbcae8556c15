"""What another policy would have said of the decisions that are stored: a backtest over the ledger.

Each decision is answered again from what it stored. Where the other policy asks the judge for the
same evidence as the one that decided, only the rules are asked, over the stored facts; a decision
is then read but not rebuilt. Where it asks for other levels, margins or metrics, everything is
concluded again from the stored evidence. A fact that the policy reads and that was not known, or
did not exist yet, when the decision was made is unknown now too, and is counted.

What this cannot tell: a rollout that was promoted was not watched on, and one that was rolled back
served nobody; what the next look would have shown is not there. So a backtest compares single
answers, not whole rollouts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gate.analysis.comparison import Analysis
from gate.closure import Closure
from gate.decision import Decision, conclude, loaded, structured
from gate.deployment import Deployment, History, Result
from gate.errors import GateError
from gate.ledger.ledger import Entry, Kind, Ledger
from gate.ledger.memory import as_deployment
from gate.policy.conditions import words
from gate.policy.demands import Demands, check, demanded
from gate.policy.evaluate import evaluate
from gate.policy.freeze import calendar_facts
from gate.policy.policy import Policy
from gate.policy.shortfall import Shortfall, evidence_facts, shortfalls
from gate.policy.situation import Situation
from gate.policy.words import JUDGED, Facts
from gate.request import Intent
from gate.service import Service
from gate.verdict import Outcome, Reason, Verdict

Became = Mapping[tuple[str, str], Deployment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """One stored decision under another policy.

    `after` is None where that policy could not decide; `why` then says so, and otherwise which
    rules made a difference. `unknown`: facts that it reads and that were not known. `rejudged`:
    whether the evidence was judged again. `result`: what became of the version afterwards.
    """

    id: str
    service: str
    version: str
    at: float
    before: Outcome
    after: Outcome | None
    why: tuple[str, ...]
    unknown: tuple[str, ...]
    rejudged: bool
    result: Result | None

    @property
    def changed(self) -> bool:
        return self.after is not self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """All of them, counted; `changed` holds the newest of those that changed.

    `moves`: how many went from one outcome to another (None: could not decide). `promoted`: of the
    promotes of which it is known what became of the version, how many by result, and how many of
    those the policy would not have promoted. `unknown`: decisions by fact that was not known.
    """

    moves: Mapping[tuple[Outcome, Outcome | None], int]
    promoted: Mapping[Result, tuple[int, int]]
    unknown: Mapping[str, int]
    rejudged: int
    changed: tuple[Again, ...]

    @property
    def decisions(self) -> int:
        return sum(self.moves.values())

    @property
    def changes(self) -> int:
        """How many came out otherwise."""
        return sum(count for (before, after), count in self.moves.items() if before is not after)


def became(ledger: Ledger, service: str | None, since: float) -> Became:
    """The last word told since then about each version, or the last bad one where there is one."""
    found: dict[tuple[str, str], Deployment] = {}
    for entry in ledger.entries(service, kind=Kind.DEPLOYMENT):  # newest first
        if entry.record.at >= since:
            told = as_deployment(entry)
            known = found.setdefault((told.service, told.version), told)
            if told.result.bad and not known.result.bad:
                found[told.service, told.version] = told
    return found


def backtest(entries: Iterable[Entry], policy: Policy, known: Became, limit: int) -> Backtest:
    """The decisions of these entries under the policy; keeps at most `limit` changed ones.

    Memory does not grow with the number of entries. A stored decision that this version cannot
    read counts as one that could not be decided.
    """
    read = asks_for(policy)
    moves: Counter[tuple[Outcome, Outcome | None]] = Counter()
    unknown: Counter[str] = Counter()
    promoted: Counter[tuple[Result, bool]] = Counter()
    kept: list[Again] = []
    rejudged = 0
    for entry in entries:
        one = _told(entry, policy, read, known)
        moves[one.before, one.after] += 1
        unknown.update(one.unknown)
        rejudged += one.rejudged
        if one.before is Outcome.PROMOTE and one.result is not None:
            promoted[one.result, one.after is not Outcome.PROMOTE] += 1
        if one.changed and len(kept) < limit:
            kept.append(one)
    return Backtest(
        moves=dict(moves),
        promoted={
            result: (promoted[result, False] + promoted[result, True], promoted[result, True])
            for result in Result
            if any(told is result for told, _ in promoted)
        },
        unknown=dict(unknown),
        rejudged=rejudged,
        changed=tuple(kept),
    )


def asks_for(policy: Policy) -> tuple[str, ...]:
    """The facts that the policy's conditions read; those of its own evidence table left out."""
    conditions = [rule.when for rule in policy.rules]
    conditions += [row.when for row in policy.evidence if row.when]
    read = dict.fromkeys(word for condition in conditions for word in words(condition))
    return tuple(word for word in read if not word.startswith("evidence.") or word[9:] == "gaps")


def _told(entry: Entry, policy: Policy, read: Iterable[str], known: Became) -> Again:
    record = entry.record
    before = Outcome(record.outcome)
    version, rejudged, after = "", False, None
    why: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    try:
        raw = loaded(record.body)
        version = str(raw["request"]["canary"])
        stored = _facts(raw)
        unknown = tuple(word for word in read if word not in stored)
        verdict, rejudged = _verdict(raw, stored, policy)
        after, why = verdict.outcome, _difference(_stored(raw), verdict)
    except GateError as error:
        why = (error.message,)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = (f"the stored decision cannot be read: {error!r}",)
    told = known.get((record.service, version))
    return Again(
        id=record.id,
        service=record.service,
        version=version,
        at=record.at,
        before=before,
        after=after,
        why=why,
        unknown=unknown,
        rejudged=rejudged,
        result=told.result if told and told.at >= record.at else None,
    )


def _verdict(raw: Mapping[str, Any], stored: Facts, policy: Policy) -> tuple[Verdict, bool]:
    """What the policy says, and whether the evidence was judged again for it; raises GateError."""
    intent = Intent(raw["request"]["intent"])
    conclusion = raw["conclusion"]
    picky = any(row.required for row in policy.evidence) or raw["service"].get("kayenta")
    if policy.evidence and picky and intent is not Intent.ROLLBACK:
        check(policy.evidence, structured(raw["service"], Service))
    found = _situation(raw, policy)
    known = {**stored, **dict(calendar_facts(found.calendar, found.at, stored))}
    foreseen = {word: value for word, value in known.items() if not word.startswith(JUDGED)}
    demands = demanded(policy.evidence, foreseen)
    if not demands.judged_like(structured(conclusion.get("demands", {}), Demands)):
        again = structured(raw, Decision)
        evidence = replace(again.evidence, calendar=found.calendar)
        return conclude(again.request, again.service, policy, evidence).verdict, True
    short: tuple[Shortfall, ...] = ()
    if demands.minutes or demands.events:
        short = shortfalls(demands, structured(conclusion["analysis"], Analysis))
    known.update(evidence_facts(demands, short))
    return evaluate(policy, known, intent, (), found), False


def _situation(raw: Mapping[str, Any], policy: Policy) -> Situation:
    """The release's situation then, under the freezes of this policy.

    Of the ledger's history only what a verdict reads beside the facts is rebuilt.
    """
    request, history = raw["request"], raw["evidence"].get("history") or {}
    telling = history.get("overrides") or request["intent"] == Intent.ROLLBACK
    at = float(request["as_of"])
    return Situation(
        version=str(request["canary"]),
        at=at,
        calendar=_closed(raw, policy, at),
        history=structured(history, History) if telling else None,
    )


def _closed(raw: Mapping[str, Any], policy: Policy, at: float) -> tuple[Closure, ...]:
    if not policy.freezes:
        return ()
    from gate.policy.calendar import closures

    return closures(policy.freezes, structured(raw["service"], Service), at)


def _facts(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The stored facts as they were before JSON made lists of them."""
    facts = raw["conclusion"]["facts"]
    return {
        word: tuple(value) if isinstance(value, list) else value for word, value in facts.items()
    }


def _stored(raw: Mapping[str, Any]) -> Verdict:
    return structured(raw["conclusion"]["verdict"], Verdict)


def _difference(before: Verdict, after: Verdict) -> tuple[str, ...]:
    """Which rules now speak for more than was decided, or no longer do; empty where it is equal."""
    if after.outcome.strictness > before.outcome.strictness:
        return tuple(_said(one) for one in _stricter(after, before.outcome))
    names = {(one.rule, one.outcome) for one in after.reasons}
    gone = [one for one in _stricter(before, after.outcome) if (one.rule, one.outcome) not in names]
    return tuple(f"no longer {_said(one)}" for one in gone)


def _stricter(verdict: Verdict, outcome: Outcome) -> list[Reason]:
    return [one for one in verdict.reasons if one.outcome.strictness > outcome.strictness]


def _said(reason: Reason) -> str:
    return f"{reason.outcome}: {reason.rule}: {reason.message}"
