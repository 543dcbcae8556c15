"""When a rollout was first seen: where nobody tells the gate when a canary started, it remembers.

Pollers such as Argo Rollouts send no start time, and a resumed or repeated analysis is a new one to
them. The first ask about a canary is stored; each later one, also after a restart or from another
server on the same ledger, continues its window. Word of how the release ended closes the rollout:
the same version asked about again is then a new one, and must show itself anew.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson

from gate.deployment import Deployment
from gate.errors import AlreadyStoredError, LedgerError, NothingStoredError, UnknownEntryError
from gate.ledger.ledger import Entry, Kind, Ledger, Record
from gate.ledger.memory import as_deployment

# Word of the end of a version is looked for among so many of the service.
MOST_ENDINGS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One canary on its way. `release` tells rollouts apart whose canary keeps its name."""

    service: str
    namespace: str
    canary: str
    release: str = ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """When (Unix seconds) the rollout was first seen; `number` counts how often it began."""

    rollout: Rollout
    at: float
    number: int


def first_seen(ledger: Ledger, rollout: Rollout, now: float) -> Sighting:
    """The sighting that this rollout continues, or a new one at `now`; raises LedgerError."""
    seen = latest(ledger, rollout)
    if seen is not None and not _ended(ledger, seen):
        return seen
    return _stored(ledger, Sighting(rollout, now, seen.number + 1 if seen else 0))


def latest(ledger: Ledger, rollout: Rollout) -> Sighting | None:
    """The last time this rollout began, or None where it was never seen; raises LedgerError."""
    found: Sighting | None = None
    while (entry := _entry(ledger, rollout, found.number + 1 if found else 0)) is not None:
        found = _sighting(entry)
    return found


def _entry(ledger: Ledger, rollout: Rollout, number: int) -> Entry | None:
    try:
        return ledger.entry(_id(rollout, number))
    except (NothingStoredError, UnknownEntryError):
        return None


def _ended(ledger: Ledger, seen: Sighting) -> bool:
    """Whether word came since that the version was completed, rolled back or aborted.

    Word of another namespace is of another rollout; word of none, or of a rollout in none, counts.
    """
    try:
        told = list(ledger.entries(seen.rollout.service, MOST_ENDINGS, Kind.DEPLOYMENT))
    except NothingStoredError:
        return False
    return any(entry.record.at > seen.at and _about(as_deployment(entry), seen) for entry in told)


def _about(told: Deployment, seen: Sighting) -> bool:
    rollout = seen.rollout
    named = told.version in {rollout.canary, rollout.release} - {""}
    return named and not told.elsewhere(rollout.namespace)


def _stored(ledger: Ledger, sighting: Sighting) -> Sighting:
    """Of several servers that see a rollout at once, the first to store it is believed."""
    rollout = sighting.rollout
    record = Record(
        id=_id(rollout, sighting.number),
        service=rollout.service,
        outcome="seen",
        at=sighting.at,
        body=orjson.dumps(sighting, option=orjson.OPT_SORT_KEYS),
        kind=Kind.ROLLOUT,
    )
    try:
        return _sighting(ledger.append(record))
    except AlreadyStoredError:
        return _sighting(ledger.entry(record.id))


def _id(rollout: Rollout, number: int) -> str:
    words = [rollout.service, rollout.namespace, rollout.canary, rollout.release, number]
    return hashlib.sha256(orjson.dumps(["rollout", *words])).hexdigest()[:16]


def _sighting(entry: Entry) -> Sighting:
    try:
        raw = orjson.loads(entry.record.body)
        return Sighting(Rollout(**raw["rollout"]), float(raw["at"]), int(raw["number"]))
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError) as error:
        raise LedgerError(
            f"entry {entry.number} (id {entry.record.id!r}) cannot be read: {error}"
        ) from None
