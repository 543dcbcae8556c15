"""What the conditions of a metric make of each verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gate.finding import Finding
from gate.rollout_lint.condition import Phase, UnreadableError, phase
from gate.rollout_lint.part import Part

WANTED: Mapping[str, Phase] = {
    "promote": Phase.SUCCESSFUL,
    "hold": Phase.INCONCLUSIVE,
    "rollback": Phase.FAILED,
}


def conditions(metric: Part, answers: Mapping[str, Any], right: str) -> Iterator[Finding]:
    """`answers`: what the conditions see of each verdict; `right`: how to write them."""
    success, failure = metric["successCondition"], metric["failureCondition"]
    if not success.text and not failure.text:
        yield metric["provider"].wrong(
            "no-conditions",
            "without conditions every answer is Successful, also rollback",
            right,
        )
        return
    try:
        phases = {verdict: read(metric, answer) for verdict, answer in answers.items()}
    except UnreadableError as error:
        part = failure if failure.text and str(error) in failure.text else success
        told = f"{part.text!r} is not read here: whether rollback fails is not known"
        yield part.odd("unreadable", told, right)
        return
    yield from _misread(metric, phases, right)


def read(metric: Part, answer: Any) -> Phase:
    """The phase of a measurement with this result."""
    return phase(metric["successCondition"].text, metric["failureCondition"].text, answer)


def _misread(metric: Part, phases: Mapping[str, Phase], right: str) -> Iterator[Finding]:
    wrong = {one: told for one, told in phases.items() if told is not WANTED.get(one, told)}
    if phases.get("none") is Phase.SUCCESSFUL:
        wrong["none"] = Phase.SUCCESSFUL
    if not wrong:
        return
    success, failure = metric["successCondition"], metric["failureCondition"]
    told = ", ".join(f"{_named(one)} is {told}" for one, told in wrong.items())
    if success.text and failure.text:
        yield success.wrong("wrong-words", f"by these conditions {told}", right)
    else:
        alone = success if success.text else failure
        yield alone.wrong("one-condition", f"with {alone.place[-1]} alone {told}", right)


def _named(verdict: str) -> str:
    return "no verdict" if verdict == "none" else verdict
