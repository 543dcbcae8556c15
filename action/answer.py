"""The gate's answer, and what it means for the job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inputs import Inputs

PROMOTE, HOLD, ROLLBACK, WRONG, UNDECIDED, CANCELLED = 0, 10, 20, 2, 30, 130
OUTCOMES = ("promote", "hold", "rollback")


class UndecidedError(Exception):
    """The gate could not decide: it, or what it looks at, is out of reach."""


class BrokenError(UndecidedError):
    """Something answered, and not as a gate does: on-unreachable is not about that."""


class RefusedError(Exception):
    """The question is wrong as asked, or not allowed; asking again will not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`outcome` and `exit_code` as the outputs; `report` is gate.report/v1, None where none is.

    `broken`: whoever answered cannot be believed, so nothing lets the job pass but a dry run.
    """

    outcome: str
    exit_code: int
    reason: str
    id: str = ""
    url: str = ""
    report: dict[str, Any] | None = None
    markdown: str = ""
    broken: bool = False


def told(report: Any, markdown: str = "", url: str = "") -> Answer:
    """The answer of a report; raises BrokenError for one that contradicts itself."""
    try:
        outcome, code, id_ = report["verdict"], report["exit_code"], report["id"]
        reason, enforced = report["reasons"][0]["message"], report["enforced"]
    except (KeyError, TypeError, IndexError) as error:
        raise BrokenError(f"the report is not as it should be: {error!r}") from None
    meant = {"promote": {PROMOTE}, "hold": {HOLD, UNDECIDED}, "rollback": {ROLLBACK}}
    plain = type(outcome) is str and outcome in OUTCOMES and type(code) is int
    if not plain or code not in ({PROMOTE} if enforced is False else meant[outcome]):
        raise BrokenError(f"the report says {outcome!r} with exit code {code!r}")
    return Answer(
        outcome=outcome, exit_code=code, reason=str(reason), id=str(id_), url=url,
        report=report, markdown=markdown,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ending:
    """How the step ends: `level` of its one annotation (empty for none), and its exit code."""

    level: str
    message: str
    code: int


def ending(answer: Answer, told_to: Inputs) -> Ending:
    """What the inputs make of the answer."""
    code, said = answer.exit_code, f"{answer.outcome.upper()}: {answer.reason}"
    if answer.broken:
        said, passes = f"could not decide: {answer.reason}", False
    elif code == UNDECIDED:
        said = f"could not decide (on-unreachable: {told_to.on_unreachable}): {answer.reason}"
        passes = told_to.on_unreachable == "warn"
    else:
        passes = code == PROMOTE or (code == HOLD and told_to.fail_on == "rollback")
    if code == WRONG:
        return Ending("error", answer.reason, WRONG)
    if told_to.dry_run and code != PROMOTE:
        would = "pass" if passes else f"fail with {code}"
        return Ending("warning", f"dry run, which would {would}: {said}", 0)
    if answer.outcome != "promote" and code == PROMOTE:
        return Ending("warning", f"the policy only observes; it would say {said}", 0)
    if passes:
        return Ending("" if code == PROMOTE else "warning", said, 0)
    return Ending("error", said, code)
