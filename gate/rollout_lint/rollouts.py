"""Rollouts: where in the strategy the gate is asked, and whether its answer can stop anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gate.finding import Finding
from gate.rollout_lint import experiments, uses
from gate.rollout_lint.part import Part, name
from gate.rollout_lint.templates import Templates, references
from gate.rollout_lint.uses import Use

SWITCH = ("prePromotionAnalysis", "postPromotionAnalysis")
INLINE = "add a step `- analysis: {templates: [...], args: [...]}` after the first setWeight"


def findings(rollout: Part, known: Templates) -> Iterator[Finding]:
    """All that is wrong with a Rollout."""
    canary = rollout.at("spec", "strategy", "canary")
    inline = [*_steps(canary, known)]
    around = _uses(canary, ("analysis",), known)
    switched = _uses(rollout.at("spec", "strategy", "blueGreen"), SWITCH, known)
    tried = [one for step in canary["steps"].items() for one in _tried(step, known)]
    for use in (*around, *inline, *switched):
        yield from uses.findings(use)
    yield from _background(around, [*inline, *tried])
    yield from _order(canary, known)
    yield from _switch(switched)
    for step in canary["steps"].items():
        if step["experiment"].written:
            yield from experiments.of_step(step["experiment"], known)
    if not (around or inline or switched or tried):
        told = "nothing is asked before this Rollout goes on"
        yield rollout.at("spec", "strategy").note("no-analysis", told, INLINE, name(rollout))


def _uses(strategy: Part, keys: Sequence[str], known: Templates) -> list[Use]:
    return [_use(strategy[key], known) for key in keys if strategy[key].written]


def _tried(step: Part, known: Templates) -> Iterator[Use]:
    """The analyses that an experiment among the steps waits for."""
    for one in step.at("experiment", "analyses").items():
        if one["requiredForCompletion"].true or not step.at("experiment", "duration").written:
            yield Use(one, (one,), known)


def _switch(switched: list[Use]) -> Iterator[Finding]:
    """Whether a blue/green switch waits for the gate."""
    asking = [use for use in switched if use.asks]
    if asking and all(use.part.place[-1] == SWITCH[1] for use in asking):
        told = "the gate is first asked when the new version has all the traffic"
        yield asking[0].part.odd("asked-late", told, f"ask in `{SWITCH[0]}` too")


def _use(analysis: Part, known: Templates) -> Use:
    return Use(analysis, tuple(references(analysis)), known)


def _steps(canary: Part, known: Templates) -> Iterator[Use]:
    for step in canary["steps"].items():
        if step["analysis"].written:
            yield _use(step["analysis"], known)


def _background(around: list[Use], inline: list[Use]) -> Iterator[Finding]:
    """A background analysis is ended with the rollout, and is Successful by that."""
    waits = any(use.asks or not use.whole for use in inline)
    for use in around:
        told = (
            "the gate is asked in the background alone: the rollout does not wait for its promote, "
            "and when the last step is done the analysis is ended as Successful"
        )
        if use.asks and not waits:
            yield use.part.wrong("background-only", told, INLINE)
        elif not use.whole and not inline:
            told = "an analysis in the background alone: should it ask the gate, nothing waits"
            yield use.part.odd("background-only", told, INLINE)


def _order(canary: Part, known: Templates) -> Iterator[Finding]:
    """Whether the canary has some of the traffic, and not all, when it is first judged."""
    weight = 0
    for step in canary["steps"].items():
        if step["setWeight"].number is not None:
            weight = max(weight, step["setWeight"].number)
        if step["setCanaryScale"].written or step["experiment"].written:
            weight = max(weight, 1)
        if step["analysis"].written and _use(step["analysis"], known).asks:
            if weight == 0:
                told = "the gate is asked before the canary has traffic: it holds until it pauses"
                yield step["analysis"].odd("no-traffic", told, "let a `setWeight` come first")
            if weight >= 100:
                told = "the gate is first asked when the canary has all the traffic"
                yield step["analysis"].odd("asked-late", told, INLINE)
            return
