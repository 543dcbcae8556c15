"""Experiments: a baseline and a canary started together, and the analyses of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gate.finding import Finding
from gate.rollout_lint import uses
from gate.rollout_lint.part import Part
from gate.rollout_lint.templates import Templates
from gate.rollout_lint.uses import Use

_TEMPLATE = re.compile(r"\{\{\s*templates\.([^.{}]+)\.(podTemplateHash|replicaset\.name)\s*\}\}")


def findings(experiment: Part, known: Templates) -> Iterator[Finding]:
    """All that is wrong with an Experiment."""
    yield from of_step(experiment["spec"], known)


def of_step(spec: Part, known: Templates) -> Iterator[Finding]:
    """The same of an `experiment` step, whose keys are those of the spec."""
    names = [one["name"].text for one in spec["templates"].items()]
    for one in spec["analyses"].items():
        use = Use(one, (one,), known)
        yield from uses.findings(use)
        yield from _given(one, names)
        if spec["duration"].written and not one["requiredForCompletion"].true:
            told = (
                "when the duration is over the analysis is ended as Successful, whatever it had "
                "been answered"
            )
            hint = "add `requiredForCompletion: true`"
            if use.asks:
                yield one.wrong("not-required", told, hint)
            else:
                yield one.odd("not-required", told, hint)


def _given(analysis: Part, names: list[str]) -> Iterator[Finding]:
    for part in analysis["args"].texts():
        for match in _TEMPLATE.finditer(part.text):
            if match[1] not in names:
                told = f"the experiment has no template {match[1]!r}: the analysis is an Error"
                yield part.wrong("placeholder", told, f"templates here: {', '.join(names)}")
