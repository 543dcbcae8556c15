"""What GitHub is told of a decision, before it is a status, a check run or a comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from gate.document import Name
from gate.errors import UsageError
from gate.surfaces.exit_code import BLIND, EXIT_CODES
from gate.surfaces.github.limits import short
from gate.surfaces.report.document import SCHEMA
from gate.surfaces.report.markdown import escape
from gate.surfaces.report.page import printable
from gate.verdict import Outcome

_NAME = TypeAdapter(Name)


class State(StrEnum):
    """As commit statuses name them. A hold is no success, as it would let a branch merge."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


_STATES = {
    EXIT_CODES[Outcome.PROMOTE]: State.SUCCESS,
    EXIT_CODES[Outcome.HOLD]: State.FAILURE,
    EXIT_CODES[Outcome.ROLLBACK]: State.FAILURE,
    BLIND: State.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`line` is one sentence without markup; `body` is the report as markdown."""

    service: str
    state: State
    line: str
    body: str = ""

    @property
    def context(self) -> str:
        """`release-gate/checkout`: one for each service, so that each has one status."""
        return f"release-gate/{self.service}"


def of(report: Mapping[str, Any], page: str) -> Notice:
    """The notice of a decision; raises UsageError for what is no gate.report/v1, or contradicts
    itself: anybody may have written the file that it came from.

    `report` as JSON tells it, and `page` as markdown; without one the line has to do.
    """
    try:
        schema, service = report["schema"], report["service"]["name"]
        state = _state(report["exit_code"], report["verdict"], report["enforced"])
        line = f"{report['headline']}: {report['reasons'][0]['message']}"
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(f"this is no report of a decision: {error!r}") from None
    if schema != SCHEMA:
        raise UsageError(f"this is no report of a decision: schema {schema!r}, not {SCHEMA!r}")
    told = short(str(printable(line)))
    body = page or f"{escape(told)}\n"
    return Notice(service=_named(service), state=state, line=told, body=body)


def _state(code: object, outcome: object, enforced: object) -> State:
    """Success for nothing but a promote, or what a policy says that only observes."""
    passes = outcome == Outcome.PROMOTE or enforced is False
    state = _STATES.get(code) if type(code) is int else None
    if state is None or (state is State.SUCCESS and not passes):
        raise UsageError(f"the report contradicts itself: {outcome!r} with exit code {code!r}")
    return state


def begun(service: str) -> Notice:
    """That the gate has begun to look."""
    return Notice(service=_named(service), state=State.PENDING, line="judging the canary")


def given_up(service: str, why: str) -> Notice:
    """That it has stopped without a decision; the run's log may say why better."""
    name, told = _named(service), str(printable(why)) or "the run's log says why"
    body = f"### ⚠️ Nothing was decided: {escape(name)}\n\n{escape(told)}\n"
    line = short(f"nothing was decided: {told}")
    return Notice(service=name, state=State.ERROR, line=line, body=body)


def _named(service: object) -> str:
    """As in a service file: the name stands in the mark of a comment, which it could end."""
    try:
        return _NAME.validate_python(service)
    except ValueError:
        raise UsageError(f"{service!r} is no name of a service") from None
