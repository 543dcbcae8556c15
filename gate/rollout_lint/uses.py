"""Where templates are used: whether they are there, and are given what they ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gate.errors import did_you_mean
from gate.finding import Finding
from gate.rollout_lint import metrics, templates
from gate.rollout_lint.part import Part
from gate.rollout_lint.templates import Templates

_OTHER = {
    templates.CLUSTER: templates.NAMESPACED,
    templates.NAMESPACED: templates.CLUSTER,
}


@dataclass(frozen=True, slots=True)
class Use:
    """An analysis: its args and dryRun, and the references to its templates."""

    part: Part
    references: Sequence[Part]
    known: Templates

    @property
    def found(self) -> list[Part]:
        """The templates that are among the files."""
        keys = map(templates.key, self.references)
        return [self.known[key] for key in keys if key in self.known]

    @property
    def whole(self) -> bool:
        """Whether all of them are."""
        return len(self.found) == len(self.references)

    @property
    def asks(self) -> bool:
        """Whether one of their metrics asks the gate."""
        return any(map(metrics.asks, self.metrics()))

    def metrics(self) -> Iterator[Part]:
        for template in self.found:
            yield from templates.all_metrics(template, self.known)


def findings(use: Use) -> Iterator[Finding]:
    """All that is wrong with how templates are used."""
    for one in use.references:
        yield from _missing(one, use.known)
    if use.whole:
        yield from _args(use)
    yield from _swapped(use)
    yield from templates.dry_runs(use.part, use.found, use.known)


def _missing(reference: Part, known: Templates) -> Iterator[Finding]:
    kind, name = templates.key(reference)
    if (kind, name) in known:
        return
    if (_OTHER[kind], name) in known:
        which = "without" if kind == templates.CLUSTER else "with"
        told = f"{name!r} is a {_OTHER[kind]} here, and a {kind} is asked for"
        yield reference.wrong("wrong-scope", told, f"write it {which} `clusterScope: true`")
        return
    told = f"the {kind} {name!r} is not among these files, and was not looked at"
    yield reference.note("template-not-given", told, "name its file too")


def _args(use: Use) -> Iterator[Finding]:
    given = {one["name"].text: one for one in use.part["args"].items()}
    needed = [one for found in use.found for one in templates.required(found, use.known)]
    known = [one for found in use.found for one in templates.declared(found, use.known)]
    for name in dict.fromkeys(needed):
        if name not in given:
            told = f"argument {name!r} is asked for and not given: the analysis is an Error"
            yield use.part["args"].wrong("arg-not-given", told, f"add it to `args`: {name}")
    for name, part in given.items():
        if name not in known:
            told = f"argument {name!r} is not the template's{did_you_mean(name, known)}: "
            hint = f"known here: {', '.join(known)}"
            yield part.odd("arg-unknown", f"{told}it is left out silently", hint)


def _swapped(use: Use) -> Iterator[Finding]:
    """Whether the canary's hash is asked about as the canary's."""
    given = {one["name"].text: one for one in use.part["args"].items()}
    for metric in use.metrics():
        named = metrics.versions(metric)
        for version, wanted in zip(named or (), ("Latest", "Stable"), strict=False):
            part = given.get(metrics.arg(version))
            if part is not None:
                yield from _arm(part, wanted)


def _arm(part: Part, wanted: str) -> Iterator[Finding]:
    arm = "canary" if wanted == "Latest" else "baseline"
    hashed = part.at("valueFrom", "podTemplateHashValue")
    if hashed.text not in ("", wanted):
        yield hashed.wrong(
            "swapped-arms",
            f"the {arm} is the {hashed.text} version: what is compared is not the release",
            f"write `podTemplateHashValue: {wanted}`",
        )
    if part["value"].text and "{{" not in part["value"].text:
        yield part["value"].wrong(
            "constant-version",
            f"the {arm} is always {part['value'].text!r}: every release is taken for the same one",
            f"write `valueFrom: {{podTemplateHashValue: {wanted}}}`",
        )
