"""Flagger's Canaries: the hooks that ask the gate, each by its own path.

Flagger reads nothing but the status. To a `rollback` hook a yes means *roll back*, to the others
*go on*, so a hook at the path of another is answered another question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gate.errors import did_you_mean
from gate.finding import Finding
from gate.rollout_lint import metric_templates
from gate.rollout_lint.address import FLAGGER, by_way, split
from gate.rollout_lint.part import Part, name

TYPES = (
    "confirm-rollout", "pre-rollout", "rollout", "confirm-traffic-increase", "confirm-promotion",
    "post-rollout", "rollback", "event",
)  # fmt: skip
SHORTEST = 5.0  # seconds
CHECKED = ("rollout", "pre-rollout")  # a failed call is a failed check


def hook(webhook: Part) -> str:
    """The hook whose path is called; empty where it is no path of the gate's."""
    path = split(webhook["url"].text).path.rstrip("/")
    return path.partition(FLAGGER)[2] if FLAGGER in f"{path}/" else ""


def kind(webhook: Part) -> str:
    """The type of a hook; none written is `rollout`."""
    return webhook["type"].text or "rollout"


def findings(canary: Part, templates: Mapping[str, Part]) -> Iterator[Finding]:
    """All that is wrong with a Canary; `templates`: the MetricTemplates that are known."""
    spec = canary["spec"]
    analysis = spec["analysis"] if spec["analysis"].written else spec["canaryAnalysis"]
    if spec["skipAnalysis"].true:
        told = "skipAnalysis: every release is promoted, and nobody is asked"
        yield spec["skipAnalysis"].wrong("skip-analysis", told, "leave it out")
    hooks = list(analysis["webhooks"].items())
    for one in hooks:
        yield from _hook(one, analysis)
    metrics = list(analysis["metrics"].items())
    for metric in metrics:
        yield from metric_templates.use(metric, templates)
    yield from _asked(canary, analysis, hooks, metrics)
    if any(map(hook, hooks)):
        yield from _threshold(analysis["threshold"])


def _hook(one: Part, analysis: Part) -> Iterator[Finding]:
    if kind(one) not in TYPES:
        guess = did_you_mean(kind(one), TYPES)
        told = f"unknown type {kind(one)!r}{guess}: Flagger never calls it"
        yield one["type"].wrong("hook-type", told, f"known types: {', '.join(TYPES)}")
        return
    path = split(one["url"].text).path.rstrip("/")
    if not hook(one):
        if "/v1/" in path and any(f"/v1/{word}" in path for word in ("argo", "flagger", "dec")):
            told = f"{path} is no hook: its status is not what Flagger waits for"
            yield one["url"].wrong("hook-path", told, f"write {FLAGGER}{kind(one)}")
        return
    yield from _path(one)
    yield from by_way(one["url"], consequence=(
        "when an ingress answers 200 with a page of its own, Flagger takes it for a yes"
    ))  # fmt: skip
    yield from _patience(one)
    if kind(one) == "confirm-traffic-increase" and not analysis["iterations"].number:
        yield one.wrong(
            "first-step",
            "asked before the first step too, when the canary has no traffic and nothing is shown: "
            "the answer is always no, and the release never starts",
            "leave it out; `rollout` and `rollback` watch each step",
        )


def _path(one: Part) -> Iterator[Finding]:
    type_, path = kind(one), hook(one)
    if path == type_:
        return
    if type_ == "rollback":
        why = "a yes there means go on, and here roll back: good releases are rolled back"
    elif path == "rollback":
        why = "a yes there means roll back, and here go on: bad releases go on"
    elif path in TYPES:
        why = f"it answers what is asked before {path}, and not {type_}"
    else:
        why = "the gate has no such path, and answers 404"
    written = "" if one["type"].text else ", the type where none is written"
    told = f"a hook of type {type_}{written} is sent to {FLAGGER}{path}: {why}"
    yield one["url"].wrong("hook-path", told, f"write {FLAGGER}{type_}")


def _patience(one: Part) -> Iterator[Finding]:
    if one["timeout"].written and one["timeout"].seconds < SHORTEST:
        told = f"timeout {one['timeout'].text} is little: judging may take longer, which is a no"
        yield one["timeout"].odd("timeout", told, "write `timeout: 10s`")
    if one["timeout"].seconds > 10:
        told = f"timeout {one['timeout'].text}: the gate answers within 10 s, a hold if it must"
        yield one["timeout"].note("timeout", told, "write `timeout: 10s`")
    if kind(one) in CHECKED and not one["retries"].number:
        yield one["retries"].odd(
            "retries",
            "without retries each call that a restart of the gate loses is a failed check, and "
            "failed checks are never forgiven",
            "write `retries: 2`",
        )
    if one["disableTLS"].true:
        told = "disableTLS: whoever stands between may answer yes"
        yield one["disableTLS"].odd("insecure", told, "let the certificate be one that is trusted")


def _asked(
    canary: Part, analysis: Part, hooks: list[Part], metrics: list[Part]
) -> Iterator[Finding]:
    """Whether anything that can say no is asked, and a promote is waited for."""
    stops = [one for one in hooks if kind(one) not in ("event", "post-rollout")]
    if not stops and not metrics:
        told = "neither metrics nor hooks: the release is promoted by the clock alone"
        hint = f"add webhooks to {FLAGGER}rollout, rollback and confirm-promotion"
        yield analysis.wrong("nothing-asked", told, hint, name(canary))
        return
    ours = {kind(one) for one in stops if hook(one)}
    watched = any(metric_templates.asks_by_name(one) for one in metrics)
    if (ours or watched) and "confirm-promotion" not in ours:
        told = (
            "no hook confirm-promotion asks the gate: `rollout` and metrics go on with a hold, so "
            "what was never shown safe is promoted after the last step"
        )
        hint = f"add a hook of type confirm-promotion to {FLAGGER}confirm-promotion"
        yield analysis["webhooks"].wrong("no-confirm-promotion", told, hint, name(canary))
    if ours and not ours & {"rollout", "rollback"} and not watched:
        told = "no hook rollout or rollback asks the gate: a bad canary keeps its traffic"
        hint = f"add hooks to {FLAGGER}rollout and {FLAGGER}rollback"
        yield analysis["webhooks"].odd("no-rollback", told, hint, name(canary))


def _threshold(threshold: Part) -> Iterator[Finding]:
    least = threshold.number
    if least is not None and least <= 1:
        read = "is read as 1" if least < 1 else "1"
        yield threshold.odd(
            "threshold-one",
            f"threshold {read}: the first failed check rolls back, also one for want of an answer",
            "write `threshold: 3`; the hook `rollback` does not wait for it",
        )
