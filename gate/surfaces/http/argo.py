"""Argo Rollouts: the verdict for its web provider, and what its notifications tell afterwards."""

from __future__ import annotations

from enum import StrEnum

from flask import Blueprint, Response
from pydantic import Field

from gate.deployment import Deployment, Result
from gate.document import Section
from gate.ledger.sightings import Rollout
from gate.surfaces.http.answers import answer
from gate.surfaces.http.asking import Question
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import Named, Note, Payload, Word, Words, body, within
from gate.surfaces.http.outcomes import stored
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb
from gate.surfaces.http.verdicts import brief

ARGO = Blueprint("argo", __name__)

CLIENT_WAITS = 10.0  # its default `timeoutSeconds`


class Measurement(Section):
    """What our AnalysisTemplate sends. All of its arguments are text."""

    service: Named
    canaryHash: Named  # noqa: N815  the spelling of Argo's templates
    stableHash: Word = ""  # noqa: N815
    namespace: Word = ""
    image: Word = ""
    step: Word = ""
    variables: Words = Field(default_factory=dict)


@ARGO.post("/v1/argo/verdict")
def verdict() -> Response:
    """200 and the verdict; Argo repeats what is answered 4xx or 5xx, and then aborts."""
    who = caller(Verb.ASK)
    told = body(Measurement)
    served(who, told.service)
    image = {"image": told.image} if told.image else {}
    question = Question(
        service=told.service,
        canary=told.canaryHash,
        baseline=told.stableHash,
        namespace=told.namespace,
        step=told.step,
        variables=tuple(sorted({**image, **told.variables}.items())),
    )
    return answer(brief(server().asking.ask(question, within(CLIENT_WAITS)), told.service))


class Event(StrEnum):
    """What the triggers of our notification ConfigMap are about."""

    ABORTED = "aborted"
    COMPLETED = "completed"
    PAUSED = "paused"


ENDS = {Event.ABORTED: Result.ABORTED, Event.COMPLETED: Result.COMPLETED}


class Notification(Payload):
    """What our notification templates send; the service is named as the rollout, if not told."""

    event: Event
    name: Named
    canaryHash: Named  # noqa: N815
    stableHash: Word | None = None  # noqa: N815
    service: Word = ""
    namespace: Word = ""
    uid: Word = ""
    message: Note | None = None


@ARGO.post("/v1/argo/outcome")
def outcome() -> Response:
    """Remembered where it tells an end; sent again, it counts once."""
    who = caller(Verb.OUTCOME)
    told = body(Notification, any_type=True)  # Argo says no type unless told to
    service = told.service or told.name
    served(who, service)
    if told.event not in ENDS:
        reason = f"{told.event} is no end"
        return answer({"stored": False, "id": None, "result": None, "reason": reason})
    rollout = Rollout(service=service, namespace=told.namespace, canary=told.canaryHash)
    ended = Deployment(
        service=service,
        version=told.canaryHash,
        result=ENDS[told.event],
        at=server().clock(),
        base=told.stableHash or "",
        head=told.canaryHash,
        by=who.name,
        note=told.message or "",
        namespace=told.namespace,
    )
    return answer(stored(ended, rollout))
