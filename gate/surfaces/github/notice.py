"""What GitHub is told of a decision, before it is a status, a check run or a comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gate.errors import UsageError
from gate.surfaces.exit_code import BLIND
from gate.surfaces.github.limits import short
from gate.surfaces.report.markdown import escape
from gate.surfaces.report.page import printable


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


def of(report: Mapping[str, Any], page: str) -> Notice:
    """The notice of a decision; raises UsageError for what is no gate.report/v1.

    `report` as JSON tells it, and `page` as markdown; without one the line has to do.
    """
    try:
        service, code = report["service"]["name"], report["exit_code"]
        line = f"{report['headline']}: {report['reasons'][0]['message']}"
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(f"this is no report of a decision: {error!r}") from None
    told = short(str(printable(line)))
    state = {0: State.SUCCESS, BLIND: State.ERROR}.get(code, State.FAILURE)
    return Notice(service=service, state=state, line=told, body=page or f"{escape(told)}\n")


def begun(service: str) -> Notice:
    """That the gate has begun to look."""
    return Notice(service=service, state=State.PENDING, line="judging the canary")


def given_up(service: str) -> Notice:
    """That it has stopped without a decision."""
    line = "stopped without a decision; the run's log says why"
    return Notice(service=service, state=State.ERROR, line=line)
