"""What in the manifests of rollouts makes a gate pass silently, or never.

What is not known stays a finding: a condition that cannot be read here, a template that is in no
file. Facts about Argo are those of its own source, 1.10; about Flagger, of 1.44.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gate.document import Document
from gate.finding import Finding, Lint
from gate.rollout_lint import (
    argo_version,
    canaries,
    experiments,
    fields,
    metric_templates,
    notifications,
    rollouts,
    templates,
)
from gate.rollout_lint.argo_version import Version
from gate.rollout_lint.part import Part, name, objects

CHECKS: Mapping[str, str] = {
    "invalid": "The file is no YAML.",
    "shape": "A value that is not of the shape its field has.",
    "unknown-field": "A field that the object does not have: it is dropped, and its default holds.",
    "unreadable": "A condition or limit that this lint cannot read.",
    "failure-limit": "Rollback verdicts that never, or too late, fail the analysis.",
    "failure-limit-off": "Failing is switched off.",
    "inconclusive-limit": "Holds that fill the count, which is a success.",
    "limits-together": "Failures and holds that together fill the count, which is a success.",
    "last-answer": "A success by count, whatever the last answer was.",
    "first-hold": "The first hold pauses the rollout.",
    "endless": "An analysis that nothing ends but its termination, which is a success.",
    "error-limit": "Too little or too much patience with errors.",
    "initial-delay": "A delay that the gate does not see.",
    "no-metrics": "A template that asks nothing.",
    "no-conditions": "Every answer is a success.",
    "one-condition": "Three verdicts, and a condition for two.",
    "wrong-words": "Conditions that read a verdict as another.",
    "json-path": "A field of the answer that is not the verdict.",
    "method": "A method that the gate does not know.",
    "request-body": "A body that the gate refuses.",
    "timeout": "A client that does not wait as long as the gate judges.",
    "public-host": "A way through an ingress, which may answer in the gate's place.",
    "plain-http": "A token and a verdict sent in the clear.",
    "insecure": "TLS that is not verified.",
    "no-token": "A request without a token.",
    "token-in-url": "A secret in the URL, which is logged.",
    "token-in-manifest": "A secret in the manifest.",
    "wrong-path": "A path of the gate's that gives no verdict.",
    "query": "A query that the gate does not answer.",
    "threshold": "Scores that leave no room for hold.",
    "kayenta-window": "A Kayenta metric without a window.",
    "backoff-limit": "A Job that asks again until the answer is a yes.",
    "restart-policy": "A container that asks again until the answer is a yes.",
    "exit-code-lost": "A command whose exit code is not the verdict.",
    "job-hold": "A Job that takes a hold for a failure.",
    "deadline": "A Job without end, or with too early an end.",
    "placeholder": "A placeholder that nothing fills.",
    "arg-not-given": "An argument without a value.",
    "arg-unknown": "An argument that nobody asks for.",
    "same-arms": "A version compared with itself.",
    "swapped-arms": "The stable version judged as the canary.",
    "constant-version": "A version that is the same for every release.",
    "dry-run": "A verdict that does not count.",
    "template-not-given": "A template that is in none of the files.",
    "wrong-scope": "A template looked for at the wrong scope.",
    "no-analysis": "A Rollout that asks nobody.",
    "background-only": "An analysis that no step waits for.",
    "no-traffic": "A verdict asked before the canary has traffic.",
    "asked-late": "A verdict asked when the canary has all traffic.",
    "not-required": "An analysis that the end of its experiment makes a success.",
    "old-argo": "An Argo Rollouts with known ways around an analysis.",
    "hook-type": "A hook that Flagger does not know.",
    "hook-path": "A hook that asks what another hook asks.",
    "first-step": "A hook that never lets the first step go.",
    "retries": "A hook whose lost call is a failed check.",
    "threshold-one": "One failed check rolls back.",
    "threshold-range": "A range that lets the wrong verdicts pass.",
    "skip-analysis": "A canary that is promoted unasked.",
    "nothing-asked": "A canary that the clock promotes.",
    "no-confirm-promotion": "A promotion that waits for no promote.",
    "no-rollback": "A rollback that nobody asks about.",
    "provider": "A metric provider that Flagger does not know.",
    "notification": "Word of a rollout's end that never arrives.",
}
ROLLOUTS = Lint("gate.rollout_lint/v1", "gate rollout", CHECKS)
_GROUPS = ("argoproj.io", "flagger.app")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found, how many objects were looked into, and the kinds that were passed over."""

    findings: tuple[Finding, ...]
    objects: int
    skipped: tuple[str, ...]


def lint(documents: tuple[Document, ...], argo: Version | None = None) -> Looked:
    """The findings, by their place; `argo` is the version of Argo Rollouts, if it is known."""
    things = list(objects(documents))
    known = [one for one in things if _known(one)]
    found = [*_of_all(known), *argo_version.findings(things, argo)]
    skipped = {one["kind"].text for one in things if not _known(one)}
    order = sorted(set(found), key=lambda one: (one.file, one.line, one.column, one.check))
    return Looked(tuple(order), len(known), tuple(sorted(skipped)))


def _known(thing: Part) -> bool:
    if thing["kind"].text == "ConfigMap":
        return name(thing) == notifications.CONFIG_MAP
    group = thing["apiVersion"].text.partition("/")[0]
    return group in _GROUPS and thing["kind"].text in fields.SPECS


def _of_all(things: list[Part]) -> Iterator[Finding]:
    kinds = (templates.NAMESPACED, templates.CLUSTER)
    known = {(one["kind"].text, name(one)): one for one in things if one["kind"].text in kinds}
    metrics = {name(one): one for one in things if one["kind"].text == "MetricTemplate"}
    for one in things:
        if one["kind"].text in fields.SPECS:
            yield from fields.findings(one)
        yield from _of(one, known, metrics)


def _of(thing: Part, known: templates.Templates, metrics: Mapping[str, Part]) -> Iterator[Finding]:
    match thing["kind"].text:
        case "AnalysisTemplate" | "ClusterAnalysisTemplate" | "AnalysisRun":
            return templates.findings(thing, known)
        case "Rollout":
            return rollouts.findings(thing, known)
        case "Experiment":
            return experiments.findings(thing, known)
        case "Canary":
            return canaries.findings(thing, metrics)
        case "MetricTemplate":
            return metric_templates.findings(thing)
        case _:
            return notifications.findings(thing)
