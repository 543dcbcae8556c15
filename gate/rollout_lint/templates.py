"""AnalysisTemplates: their metrics, and the arguments that stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gate.errors import did_you_mean
from gate.finding import Finding
from gate.rollout_lint import metrics
from gate.rollout_lint.part import Part, name

NAMESPACED, CLUSTER = "AnalysisTemplate", "ClusterAnalysisTemplate"
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
# Other tools' ways of writing one, which Argo sends as they stand.
_FOREIGN = re.compile(r"\$\{\{?\s*[\w.-]+\s*\}?\}|(?<![{$])\{\s*args\.[\w.-]+\s*\}(?!\})")
Templates = Mapping[tuple[str, str], Part]


def findings(template: Part, known: Templates) -> Iterator[Finding]:
    """All that is wrong with a template or an AnalysisRun by itself."""
    spec = template["spec"]
    if not any(spec["metrics"].items()) and not any(spec["templates"].items()):
        told = "has no metrics: nothing is asked"
        yield spec["metrics"].wrong("no-metrics", told, "add a metric", name(template))
    args = [one["name"].text for one in spec["args"].items()]
    for metric in spec["metrics"].items():
        yield from metrics.findings(metric)
        yield from _placeholders(metric, args)
        yield from _arms(metric)
    yield from dry_runs(spec, [template], known)
    if template["kind"].text == "AnalysisRun":
        yield from _unresolved(spec)


def _placeholders(metric: Part, args: Sequence[str]) -> Iterator[Finding]:
    for part in metric.texts():
        for match in _PLACEHOLDER.finditer(part.text):
            word = match[1].strip()
            if word.removeprefix("args.") not in args or not word.startswith("args."):
                guess = did_you_mean(word.removeprefix("args."), args)
                told = f"{{{{{word}}}}} stands for no argument{guess}: the analysis is an Error"
                hint = f"arguments here: {', '.join(args)}" if args else "declare it in `args`"
                yield part.wrong("placeholder", told, hint)
        foreign = _FOREIGN.search(part.text)
        if foreign and not metric.at("provider", "job").written:
            told = f"{foreign[0]} is no placeholder of Argo's, and is sent as it stands"
            yield part.wrong("placeholder", told, "write {{args.NAME}}")


def _arms(metric: Part) -> Iterator[Finding]:
    named = metrics.versions(metric)
    if named and named[0].text and named[0].text == named[1].text:
        yield named[0].wrong(
            "same-arms",
            "canary and baseline are the same version: compared with itself, nothing is worse",
            "let the canary be podTemplateHashValue Latest, and the baseline Stable",
        )


def _unresolved(spec: Part) -> Iterator[Finding]:
    for one in spec["args"].items():
        if not (one["value"].written or one["valueFrom"].written):
            told = f"argument {one['name'].text!r} has no value: the run is an Error"
            yield one.wrong("arg-not-given", told, "add `value`")


def dry_runs(spec: Part, used: Sequence[Part], known: Templates) -> Iterator[Finding]:
    """Whether a verdict is only looked at: Argo leaves dry runs out of the phase."""
    asking = [
        metric["name"].text
        for template in used
        for metric in all_metrics(template, known)
        if metrics.asks(metric)
    ]
    for dry in spec["dryRun"].items():
        pattern = dry["metricName"].text
        try:
            met = [one for one in asking if pattern and re.search(pattern, one)]
        except re.error:
            met = []
        for one in met:
            told = f"dryRun: the verdict of {one!r} is shown and does not count"
            hint = "leave it out; to try the gate, ask by a policy with `mode: observe`"
            yield dry.odd("dry-run", told, hint, one)


def all_metrics(template: Part, known: Templates) -> Iterator[Part]:
    """Its metrics, and those of the templates it names."""
    for one in _within(template, known):
        yield from one.at("spec", "metrics").items()


def required(template: Part, known: Templates) -> Iterator[str]:
    """The arguments without a value of their own."""
    for one in _args(template, known):
        if not (one["value"].written or one["valueFrom"].written):
            yield one["name"].text


def declared(template: Part, known: Templates) -> Iterator[str]:
    """All its arguments."""
    for one in _args(template, known):
        yield one["name"].text


def _args(template: Part, known: Templates) -> Iterator[Part]:
    for one in _within(template, known):
        yield from one.at("spec", "args").items()


def _within(template: Part, known: Templates, depth: int = 8) -> Iterator[Part]:
    """The template, and those it names, one in the other."""
    yield template
    for inner in references(template["spec"]) if depth else ():
        if (found := known.get(key(inner))) is not None:
            yield from _within(found, known, depth - 1)


def references(part: Part) -> Iterator[Part]:
    """The `templates` of an analysis."""
    yield from part["templates"].items()


def key(reference: Part) -> tuple[str, str]:
    """Kind and name of the template referred to."""
    kind = CLUSTER if reference["clusterScope"].true else NAMESPACED
    return kind, reference["templateName"].text
