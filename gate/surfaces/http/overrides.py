"""`/v1/overrides`: exceptions that two people answer for; grant, list and take back.

Who asks for one is the token's name, unless the token's line says that it `vouches` for the people
it names (a chat bot, a portal): both are then recorded. Who approves must be somebody else than
either, and one of the policy's approvers, where it names any.
"""

from __future__ import annotations

from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field

from gate.document import Duration, Section
from gate.ledger.ledger import Kind
from gate.ledger.overrides import grant, overrides, revoke
from gate.override import LONGEST_TEXT, Override
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.auth import caller, served, service_argument
from gate.surfaces.http.bodies import Named, Word, body
from gate.surfaces.http.entries import known_entry
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Caller, Verb
from gate.surfaces.overrides import check_terms, overrides_document

OVERRIDES = Blueprint("overrides", __name__)

Said = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class Grant(Section):
    """What is asked for. Without `rules` it lifts every hold, but never a rollback."""

    service: Named
    version: Named
    by: Word = ""
    approved_by: Named
    reason: Said
    ticket: Said
    length: Duration = Field(3_600.0, alias="for", json_schema_extra={"default": "1h"})
    rules: list[Named] = Field(default_factory=list, max_length=32)


class Revocation(Section):
    """Who takes it back, where the token may say so."""

    by: Word = ""


@OVERRIDES.post("/v1/overrides")
def add() -> Response:
    """Stored when it is answered; decisions made while it is in force quote it."""
    who = caller(Verb.OVERRIDE)
    told = body(Grant)
    one, now = served(who, told.service), server().clock()
    by = _person(who, told.by)
    asked = Override(
        id="", by=by, via="" if by == who.name else who.name, approved_by=told.approved_by,
        service=told.service, version=told.version, reason=told.reason, ticket=told.ticket,
        created_at=now, expires_at=now + told.length, rules=tuple(told.rules),
    )  # fmt: skip
    check_terms(asked, one.gate.policy)
    return answer(overrides_document([grant(server().ledger, asked)], now))


@OVERRIDES.get("/v1/overrides")
def several() -> Response:
    """A service's of the last 30 days, the newest first, and how each stands."""
    service = service_argument(caller(Verb.ASK)).gate.service.name
    now = server().clock()
    return answer(overrides_document(overrides(server().ledger, service, now), now))


@OVERRIDES.post("/v1/overrides/<id_>/revocation")
def revocation(id_: str) -> Response:
    """What was decided with it stays as it was decided."""
    who = caller(Verb.OVERRIDE)
    by = _person(who, body(Revocation).by)
    entry = known_entry(who, id_, Kind.OVERRIDE, "GET /v1/overrides?service=NAME lists them")
    now = server().clock()
    taken = revoke(server().ledger, entry.record.id, by=by, at=now)
    return answer(overrides_document([taken], now))


def _person(who: Caller, by: str) -> str:
    """Who is recorded to have asked: the token, or whom it vouches for."""
    if who.vouches and not by.strip():
        raise Refusal(400, "by is missing", f"{who.name!r} vouches for people: say who asks")
    if by and not who.vouches and by != who.name:
        raise Refusal(403, f"token {who.name!r} speaks for itself alone", "leave `by` out")
    return by or who.name
