"""As much of Kayenta as Argo Rollouts' provider asks: configs, a started canary, its score.

The services are the configs, the scopes are the versions. A run's id holds the question itself, so
that a run begun before a restart, or at another server, is gone on with. The score tells the
verdict, not a quality: promote is `pass`, hold lies at `marginal`, rollback below it. Thresholds
that leave no whole number for hold are refused: a hold must not read as one of the others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Blueprint, Response
from pydantic import Field

from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.asking import Question
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import Named, Payload, Word, body, within
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb
from gate.surfaces.http.verdicts import brief
from gate.verdict import Outcome

KAYENTA = Blueprint("kayenta", __name__)

CLIENT_WAITS = 15.0


class Scope(Payload):
    """One arm: `scope` is its version. Before Argo 1.9 `location` was called `region`."""

    scope: Named
    location: Word = ""
    region: Word = ""


class Scopes(Payload):
    """Both arms."""

    controlScope: Scope  # noqa: N815
    experimentScope: Scope  # noqa: N815


class Thresholds(Payload):
    """What score passes, and from which on it is not a failure yet."""

    # `pass` is a word of Python's; the bounds keep a score exact as a double.
    passing: int = Field(alias="pass", ge=-1_000_000, le=1_000_000)
    marginal: int = Field(ge=-1_000_000, le=1_000_000)


class Start(Payload):
    """The body that starts a canary; the times in it are not used, see `Question.since`."""

    scopes: dict[str, Scopes] = Field(min_length=1, max_length=1)
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class Run:
    """A started canary: the question, and the scores that mean something to whoever asked."""

    service: str
    canary: str
    baseline: str
    namespace: str
    passing: int
    marginal: int

    @property
    def id(self) -> str:
        told = [getattr(self, name) for name in self.__dataclass_fields__]
        return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")

    @property
    def question(self) -> Question:
        return Question(
            service=self.service,
            canary=self.canary,
            baseline=self.baseline,
            namespace=self.namespace,
        )

    def score(self, outcome: Outcome) -> int:
        return {
            Outcome.PROMOTE: self.passing,
            Outcome.HOLD: self.marginal,
            Outcome.ROLLBACK: self.marginal - 1,
        }[outcome]


@KAYENTA.get("/canaryConfig")
def configs() -> Response:
    """Every service as a config whose id and name are its own. (A list, as Kayenta answers.)"""
    who = caller(Verb.ASK)
    known = [name for name in sorted(server().catalogue) if who.knows(name)]
    return answer([_config(name) for name in known])


def _config(name: str) -> Mapping[str, Any]:
    return {
        "id": name,
        "name": name,
        "updatedTimestamp": 0,
        "updatedTimestampIso": "1970-01-01T00:00:00Z",
        "applications": [name],
    }


@KAYENTA.post("/canary/<service>")
def start(service: str) -> Response:
    """Judges a first time, or begins to, and answers with the run's id."""
    who = caller(Verb.ASK)
    told = body(Start, any_type=True)
    served(who, service)
    (scopes,) = told.scopes.values()
    if told.thresholds.passing <= told.thresholds.marginal:
        raise Refusal(400, "no score is left for hold", "thresholds: let pass be above marginal")
    run = Run(
        service=service,
        canary=scopes.experimentScope.scope,
        baseline=scopes.controlScope.scope,
        namespace=scopes.experimentScope.location or scopes.experimentScope.region,
        passing=told.thresholds.passing,
        marginal=told.thresholds.marginal,
    )
    server().asking.ask(run.question, within(CLIENT_WAITS))
    return answer({"canaryExecutionId": run.id})


@KAYENTA.get("/canary/<run_id>")
def poll(run_id: str) -> Response:
    """`complete` with the score of the verdict; incomplete while it is still judged."""
    who = caller(Verb.ASK)
    run = _run(run_id)
    served(who, run.service)
    decision = server().asking.ask(run.question, within(CLIENT_WAITS))
    if decision is None:
        return answer({"complete": False, "status": "running", "result": None})
    score = run.score(decision.verdict.binding)
    return answer(
        {
            "complete": True,
            "status": "succeeded",
            "result": {"judgeResult": {"score": {"score": score}}},
            "gate": brief(decision, run.service),
        }
    )


def _run(run_id: str) -> Run:
    try:
        told = orjson.loads(base64.urlsafe_b64decode(run_id + "=" * (-len(run_id) % 4)))
        service, canary, baseline, namespace, passing, marginal = told
        words = (service, canary, baseline, namespace)
        if all(isinstance(one, str) for one in words) and type(passing) is type(marginal) is int:
            run = Run(service, canary, baseline, namespace, passing, marginal)
            if run.id == run_id and passing > marginal:
                return run
    except (binascii.Error, orjson.JSONDecodeError, TypeError, ValueError):
        pass
    raise Refusal(404, "no canary has this id", "POST /canary/SERVICE starts one")
