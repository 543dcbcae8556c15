"""`/v1/decisions`: ask for one, read them again, with what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, request
from pydantic import Field

from gate.decision import from_json
from gate.document import Section
from gate.errors import NothingStoredError
from gate.ledger.ledger import Entry, Kind
from gate.request import Intent
from gate.surfaces.http.answers import Refusal, answer
from gate.surfaces.http.asking import Question
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import Named, Word, Words, argument, body, within
from gate.surfaces.http.entries import known_entry
from gate.surfaces.http.moments import Moment, moment_argument
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Caller, Verb
from gate.surfaces.http.verdicts import link, whole
from gate.surfaces.report.markdown import markdown
from gate.surfaces.report.numbers import rfc3339
from gate.surfaces.report.report import report
from gate.verdict import Outcome

DECISIONS = Blueprint("decisions", __name__)

CLIENT_WAITS = 10.0  # seconds, where a client does not say
FILTERS = ("service", "outcome", "since", "limit")
MOST_LISTED, USUALLY_LISTED = 100, 20


class Ask(Section):
    """May this canary go on? `as_of` judges a past moment, for tokens that may `admin`."""

    service: Named
    canary: Named
    baseline: Word = ""
    namespace: Word = ""
    step: Word = ""
    variables: Words = Field(default_factory=dict)
    intent: Intent = Intent.RELEASE
    since: Moment | None = None
    as_of: Moment | None = None


@DECISIONS.post("/v1/decisions")
def ask() -> Response:
    """200 for every verdict."""
    who = caller(Verb.ASK)
    asked = body(Ask)
    served(who, asked.service)
    if asked.as_of is not None and not who.may(Verb.ADMIN):
        # Or a pipeline would choose a moment before the freeze, with budget left.
        raise Refusal(403, f"token {who.name!r} may not judge the past", "leave as_of out")
    question = Question(
        service=asked.service,
        canary=asked.canary,
        baseline=asked.baseline,
        namespace=asked.namespace,
        step=asked.step,
        variables=tuple(sorted(asked.variables.items())),
        intent=asked.intent,
        since=asked.since,
        as_of=asked.as_of,
    )
    return answer(whole(_answered(who, question), asked.service))


def _answered(who: Caller, question: Question) -> Any:
    asking, time = server().asking, within(CLIENT_WAITS)
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return asking.ask(question, time)
    if not 1 <= len(key) <= 255:
        raise Refusal(400, "Idempotency-Key has no length from 1 to 255")
    return asking.ask_once(question, time, (who.name, key))


@DECISIONS.get("/v1/decisions/<id_>")
def one(id_: str) -> Response:
    """A stored decision, as it was told."""
    decision = from_json(_entry(id_).record.body)
    return answer(whole(decision, decision.request.service))


@DECISIONS.get("/v1/decisions/<id_>/evidence")
def evidence(id_: str) -> Response:
    """Everything it rests on, raw series too."""
    stored = orjson.loads(_entry(id_).record.body)
    return answer({name: stored[name] for name in ("id", "schema", "request", "evidence")})


@DECISIONS.get("/v1/decisions/<id_>/markdown")
def as_markdown(id_: str) -> Response:
    """Its report for a pull request or a step summary, as `gate check --format markdown`."""
    decision = from_json(_entry(id_).record.body)
    return answer({"id": decision.id, "markdown": markdown(report(decision))})


def _entry(id_: str) -> Entry:
    return known_entry(caller(Verb.ASK), id_, Kind.DECISION, "GET /v1/decisions lists them")


@DECISIONS.get("/v1/decisions")
def several() -> Response:
    """The newest first; `next` is the page after, or null."""
    who = caller(Verb.ASK)
    limit = argument("limit", MOST_LISTED, USUALLY_LISTED) or USUALLY_LISTED
    page: list[Entry] = []
    for entry in _wanted(who):
        if len(page) == limit:
            return answer({"decisions": [_line(one) for one in page], "next": _next(page[-1])})
        page.append(entry)
    return answer({"decisions": [_line(one) for one in page], "next": None})


def _wanted(who: Caller) -> Iterator[Entry]:
    service, outcome = request.args.get("service"), _outcome()
    if service is not None:
        served(who, service)
    since = moment_argument("since")
    after = argument("after", 2**53, None)
    try:
        for entry in server().ledger.entries(service, kind=Kind.DECISION, before=after):
            if since is not None and entry.record.at < since:
                return
            if who.knows(entry.record.service) and outcome in (None, entry.record.outcome):
                yield entry
    except NothingStoredError:
        return


def _outcome() -> Outcome | None:
    told = request.args.get("outcome")
    if told is None:
        return None
    if told not in tuple(Outcome):
        raise Refusal(400, "outcome is none", f"one of: {', '.join(Outcome)}")
    return Outcome(told)


def _line(entry: Entry) -> Mapping[str, Any]:
    record = entry.record
    return {
        "number": entry.number,
        "id": record.id,
        "service": record.service,
        "verdict": record.outcome,
        "decided_at": rfc3339(record.at),
        "digest": entry.digest,
        "url": link(f"/v1/decisions/{record.id}"),
    }


def _next(last: Entry) -> str:
    kept = {name: request.args[name] for name in FILTERS if name in request.args}
    return link(f"/v1/decisions?{urlencode({**kept, 'after': last.number})}")
