"""What GitHub is told of a decision, before it is a status, a check run or a comment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gate.decision import Decision
from gate.surfaces.exit_code import BLIND, exit_code
from gate.surfaces.github.limits import short
from gate.surfaces.report.markdown import markdown
from gate.surfaces.report.report import report


class State(StrEnum):
    """As commit statuses name them. A hold is no success, as it would let a branch merge."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


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


def of(decision: Decision) -> Notice:
    """The notice of a decision."""
    told, code = report(decision), exit_code(decision)
    state = {0: State.SUCCESS, BLIND: State.ERROR}.get(code, State.FAILURE)
    return Notice(
        service=decision.request.service,
        state=state,
        line=short(f"{told.headline}: {told.reasons[0].message}"),
        body=markdown(told),
    )


def begun(service: str) -> Notice:
    """That the gate has begun to look."""
    return Notice(service=service, state=State.PENDING, line="judging the canary")


def given_up(service: str) -> Notice:
    """That it has stopped without a decision."""
    line = "stopped without a decision; the run's log says why"
    return Notice(service=service, state=State.ERROR, line=line)
