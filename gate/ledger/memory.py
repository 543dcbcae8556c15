"""What the ledger remembers of a service, for the next decision; and how it gets to know.

What is read here goes into the evidence, so that a decision can be made again without the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from gate.change import Change
from gate.deployment import Deployment, History, Result, differ
from gate.errors import AlreadyStoredError, LedgerError, NothingStoredError
from gate.evidence.evidence import Cause
from gate.ledger.ledger import Entry, Kind, Ledger, Record
from gate.ledger.overrides import overrides
from gate.verdict import Outcome

# A quarter, and few enough that each decision may carry its own copy.
FOR = 90 * 86_400.0
MOST = 100
# A day of a rollout that is looked at every few minutes; read in some 50 ms, and only to go back.
MOST_DECISIONS = 200
# Decisions of a service that are searched for one about a version: days of looking every minute.
SEARCHED = 1_000


def history(
    ledger: Ledger, service: str, as_of: float, *, back_to: str = "", namespace: str = ""
) -> History:
    """What was told of the service in the 90 days up to `as_of`; raises LedgerError.

    A ledger that is not there yet remembers nothing; one that cannot be read is an error. With
    `back_to` the last decisions are read too, newest first, until one shows that this version ran;
    with `namespace` those of other namespaces show nothing.
    """
    try:
        told = tuple(_deployments(ledger, service, as_of))
    except NothingStoredError:
        return History(decisions=0 if back_to else None)
    granted = overrides(ledger, service, as_of)
    if not back_to:
        return History(told, granted)
    ran, count = _ran(ledger.entries(service, MOST_DECISIONS), back_to, namespace)
    return History(told, granted, ran, count)


def remember(ledger: Ledger, deployment: Deployment) -> Entry:
    """Stored durably when this returns; told twice in the same words, it is stored once."""
    body = orjson.dumps(deployment, option=orjson.OPT_SORT_KEYS)
    record = Record(
        id=hashlib.sha256(body).hexdigest()[:16],
        service=deployment.service,
        outcome=deployment.result,
        at=deployment.at,
        body=body,
        kind=Kind.DEPLOYMENT,
    )
    try:
        return ledger.append(record)
    except AlreadyStoredError:  # the id is a digest of every word
        return ledger.entry(record.id)


def told_before(ledger: Ledger, deployment: Deployment) -> Entry | None:
    """The newest word about that version, where it says the same but for the time."""
    try:
        for entry in ledger.entries(deployment.service, MOST, Kind.DEPLOYMENT):
            told = as_deployment(entry)
            if told.version == deployment.version:
                return entry if replace(told, at=deployment.at) == deployment else None
    except NothingStoredError:
        pass
    return None


def with_decision(ledger: Ledger, deployment: Deployment) -> Deployment:
    """The same with what the latest decision about that version saw of its change.

    Where it names revisions of its own that do not begin the decision's, nothing is taken. Of the
    service's decisions the last `SEARCHED` are looked at.
    """
    change = _decided(ledger, deployment.service, deployment.version)
    if change is None or not (
        change.base.startswith(deployment.base) and change.head.startswith(deployment.head)
    ):
        return deployment
    return replace(
        deployment,
        base=change.base,
        head=change.head,
        components=change.components,
        counted=change.counted,
    )


def _decided(ledger: Ledger, service: str, version: str) -> Change | None:
    """The change in the latest decision about the version."""
    import cattrs

    named = orjson.dumps(version)
    try:
        for entry in ledger.entries(service, SEARCHED):
            if named not in entry.record.body:  # most are of other releases
                continue
            raw: Any = orjson.loads(entry.record.body)
            if raw["request"]["canary"] == version and raw["evidence"]["change"]:
                return cattrs.structure(raw["evidence"]["change"], Change)
    except (NothingStoredError, cattrs.BaseValidationError, KeyError, TypeError):
        return None  # no ledger yet, or a decision of another form
    return None


def as_deployment(entry: Entry) -> Deployment:
    """The deployment that an entry tells; raises LedgerError."""
    try:
        raw = orjson.loads(entry.record.body)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        return Deployment(**{**raw, **lists, "result": Result(raw["result"])})
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise LedgerError(
            f"entry {entry.number} (id {entry.record.id!r}) cannot be read: {error}"
        ) from None


def _deployments(ledger: Ledger, service: str, as_of: float) -> Iterator[Deployment]:
    for entry in ledger.entries(service, MOST, Kind.DEPLOYMENT):
        if as_of - FOR < entry.record.at <= as_of:
            yield as_deployment(entry)


def _ran(decided: Iterator[Entry], wanted: str, namespace: str) -> tuple[tuple[str, ...], int]:
    """The versions that decisions show to have run, until `wanted` is; how many were read.

    Those are baselines that were seen, and canaries let go on at last. Whenever they were
    made: clocks that differ must not keep anybody from going back.
    """
    ran: set[str] = set()
    judged: set[str] = set()
    count = 0
    for count, entry in enumerate(decided, 1):  # noqa: B007  it is the answer
        baseline, canary = _asked(entry, namespace)
        if entry.record.outcome == Outcome.PROMOTE and canary not in judged:
            ran.add(canary)
        if baseline != canary:
            ran.add(baseline)
        judged.add(canary)
        if wanted in ran:
            break
    return tuple(sorted(ran - {""})), count


def _asked(entry: Entry, namespace: str) -> tuple[str, str]:
    """Baseline and canary; nothing of a decision in another namespace.

    Nor of one in another form: going back must not fail.
    """
    try:
        raw = orjson.loads(entry.record.body)
        asked = raw["request"]
        if differ(namespace, asked.get("variables", {}).get("namespace", "")):
            return "", ""
        baseline = "" if _nothing_there(raw["evidence"]) else str(asked["baseline"])
        return baseline, str(asked["canary"])
    except (orjson.JSONDecodeError, AttributeError, TypeError, KeyError):
        return "", ""


def _nothing_there(evidence: Any) -> bool:
    """Whether every metric was asked for, and answered with nothing at all.

    Or a new version would pass for one that ran, by being named as a baseline once. Sources that
    could not be asked speak against nobody: going back is for such hours.
    """
    causes = {one["cause"] for one in evidence["gaps"] if one["about"].startswith("metric ")}
    return not evidence["pairs"] and causes == {Cause.EMPTY}
