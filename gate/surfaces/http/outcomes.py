"""`/v1/outcomes`: what became of a rollout, told by whoever knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from gate.deployment import Deployment, Result
from gate.document import Section
from gate.ledger.ledger import Entry, Ledger
from gate.ledger.memory import remember, told_before, with_decision
from gate.ledger.sightings import Rollout, latest
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import Named, Note, Word, body
from gate.surfaces.http.moments import Moment
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb

OUTCOMES = Blueprint("outcomes", __name__)

# Of a version that was never asked about, a second word within so many seconds is a repetition.
REPEATED_WITHIN = 3_600.0


class Outcome(Section):
    """How the release of a version ended."""

    service: Named
    version: Named
    result: Result
    namespace: Word = ""
    at: Moment | None = None
    base: Word = ""
    head: Word = ""
    note: Note = ""


@OUTCOMES.post("/v1/outcomes")
def outcome() -> Response:
    """Stored when it is answered; told twice, it is stored once."""
    who = caller(Verb.OUTCOME)
    told = body(Outcome)
    served(who, told.service)
    if told.at is not None and told.at > server().clock():
        raise Refusal(400, "at lies in the future", "tell what became of it, or leave it out")
    rollout = Rollout(service=told.service, namespace=told.namespace, canary=told.version)
    ended = Deployment(
        service=told.service,
        version=told.version,
        result=told.result,
        at=server().clock() if told.at is None else told.at,
        base=told.base,
        head=told.head,
        by=who.name,
        note=told.note,
        namespace=told.namespace,
    )
    return answer(stored(ended, rollout if told.at is None else None))


def stored(ended: Deployment, rollout: Rollout | None) -> Mapping[str, Any]:
    """Remembered, unless it is word that came before: webhooks are sent again when in doubt.

    `rollout`: where no moment was told with it, the same words about this rollout are the same
    word until the rollout begins anew.
    """
    ledger = server().ledger
    ended = with_decision(ledger, ended)
    entry = rollout and _repeated(ledger, ended, rollout)
    entry = entry or remember(ledger, ended)
    return {"stored": True, "id": entry.record.id, "result": ended.result, "reason": ""}


def _repeated(ledger: Ledger, ended: Deployment, rollout: Rollout) -> Entry | None:
    before, seen = told_before(ledger, ended), latest(ledger, rollout)
    since = seen.at if seen else ended.at - REPEATED_WITHIN
    return before if before and before.record.at >= since else None
