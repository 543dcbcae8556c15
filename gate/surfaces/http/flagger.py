"""Flagger's webhooks: one path for each type of hook, because the body does not tell which it is.

Flagger reads nothing but the status: up to 202 is a yes. To its `rollback` hook a yes means *roll
back*; to the others it means *go on*. A no is 409, whose body Flagger prints for some hooks; a
5xx would lose the reason and print the URL.

Flagger names no version: pods are `NAME-...` and `NAME-primary-...`, so those are the canary and
the baseline unless `metadata` says otherwise, and `checksum` tells one release from the next.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from flask import Blueprint, Response
from pydantic import Field

from gate.decision import Decision
from gate.deployment import Deployment, Result
from gate.ledger.sightings import Rollout
from gate.policy.direction import judges
from gate.policy.evaluate import GUARD, SILENCE
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.asking import Question
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import Named, Note, Payload, Word, body, within
from gate.surfaces.http.logs import log
from gate.surfaces.http.outcomes import stored
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb
from gate.surfaces.http.verdicts import STILL_JUDGING, brief
from gate.verdict import Outcome, Reason

FLAGGER = Blueprint("flagger", __name__)

CLIENT_WAITS = 10.0  # its default `timeout`
NO = 409
BEFORE = 60.0  # seconds; how long a canary that does not run yet is asked about
# Words of its `metadata` that are ours; all others are variables of the queries.
OWN_WORDS = frozenset({"token", "service", "canary", "baseline", "step"})
EVENT_WORDS = frozenset({"eventMessage", "eventType", "timestamp"})

GOES_ON = frozenset({Outcome.PROMOTE, Outcome.HOLD})
# Which verdicts are a yes. A hold is no failed check, but it lets no traffic and no promotion on.
YES: Mapping[str, frozenset[Outcome]] = {
    "pre-rollout": GOES_ON,
    "rollout": GOES_ON,
    "confirm-traffic-increase": frozenset({Outcome.PROMOTE}),
    "confirm-promotion": frozenset({Outcome.PROMOTE}),
    "rollback": frozenset({Outcome.ROLLBACK}),
}
ENDS = {"Succeeded": Result.COMPLETED, "Failed": Result.ROLLED_BACK}


class Hook(Payload):
    """What Flagger sends to every hook."""

    name: Named
    namespace: Word = ""
    phase: Word = ""
    checksum: Word = ""
    metadata: dict[Named, Note] = Field(default_factory=dict, max_length=64)

    @property
    def service(self) -> str:
        return self.metadata.get("service") or self.name

    @property
    def question(self) -> Question:
        free = sorted(set(self.metadata) - OWN_WORDS - EVENT_WORDS)
        return Question(
            service=self.service,
            canary=self.metadata.get("canary") or self.name,
            baseline=self.metadata.get("baseline") or f"{self.name}-primary",
            namespace=self.namespace,
            release=self.checksum,
            step=self.metadata.get("step", ""),
            variables=tuple((name, self.metadata[name]) for name in free),
        )


def _hook(verb: Verb) -> Hook:
    """The body of a caller who may: its token may stand in the body itself."""
    told = body(Hook, any_type=True, token=_token)
    who = caller(verb, _token(told))
    served(who, told.service)
    return told


def _token(told: Hook) -> str:
    return told.metadata.get("token", "")


def _judged(hook: str) -> Callable[[], Response]:
    def judged() -> Response:
        told = _hook(Verb.ASK)
        decision = server().asking.ask(told.question, within(CLIENT_WAITS))
        outcome = decision.verdict.binding if decision else Outcome.HOLD
        return answer(brief(decision, told.service), 200 if outcome in YES[hook] else NO)

    return judged


for _name in YES:
    FLAGGER.add_url_rule(
        f"/v1/flagger/{_name}", _name, _judged(_name), methods=["POST"], strict_slashes=False
    )


@FLAGGER.post("/v1/flagger/confirm-rollout")
def confirm_rollout() -> Response:
    """Whether anything but what the canary has yet to show speaks against starting it.

    The canary does not run and its checksum is still the old one, so this begins no rollout.
    """
    told = _hook(Verb.ASK)
    start = math.floor(server().clock() / BEFORE) * BEFORE - BEFORE
    question = Question(
        **{name: getattr(told.question, name) for name in ("service", "canary", "baseline")},
        namespace=told.namespace, variables=told.question.variables, since=start,
    )  # fmt: skip
    decision = server().asking.ask(question, within(CLIENT_WAITS))
    against = _against(decision) if decision else STILL_JUDGING
    reason = against or "nothing speaks against starting it"
    # The verdict stays the decision's own: that a canary may start promotes nothing.
    return answer({**brief(decision, told.service), "reason": reason}, NO if against else 200)


def _against(decision: Decision) -> str:
    """The message of the first reason against starting; empty where there is none."""
    if not decision.verdict.enforced:
        return ""
    about_the_canary = {
        rule.name for rule in decision.policy.rules if judges(rule.when) or "rollout." in rule.when
    }

    def speaks(reason: Reason) -> bool:
        waits = reason.rule in about_the_canary or reason in (SILENCE, GUARD)
        return reason.outcome is not Outcome.PROMOTE and not (waits or reason.lifted)

    return next((one.message for one in decision.verdict.reasons if speaks(one)), "")


@FLAGGER.post("/v1/flagger/post-rollout")
def post_rollout() -> Response:
    """How the release ended, remembered by its checksum."""
    told = _hook(Verb.OUTCOME)
    if told.phase not in ENDS:
        reason = f"{told.phase or 'no phase'} is no end"
        return answer({"stored": False, "id": None, "result": None, "reason": reason})
    if not told.checksum:
        raise Refusal(400, "checksum is missing")
    rollout = Rollout(
        service=told.service, namespace=told.namespace, canary=told.question.canary,
        release=told.checksum,
    )  # fmt: skip
    ended = Deployment(
        service=told.service,
        version=told.checksum,
        result=ENDS[told.phase],
        at=server().clock(),
        by="flagger",
        namespace=told.namespace,
    )
    return answer(stored(ended, rollout))


@FLAGGER.post("/v1/flagger/event")
def event() -> Response:
    """What Flagger does, for the log."""
    told = _hook(Verb.OUTCOME)
    told_of = {word: told.metadata.get(word, "") for word in sorted(EVENT_WORDS)}
    log("flagger", service=told.service, namespace=told.namespace, phase=told.phase, **told_of)
    return answer({"stored": False, "id": None, "result": None, "reason": "logged"})
