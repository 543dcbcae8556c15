"""Rollouts and Experiments: whether the verdict that is asked can stop anything."""

from __future__ import annotations

import pytest

from gate.rollout_lint.argo_version import version
from tests.rollout_lint.parts import checks, example, found

TEMPLATE = example("argo/analysis-template.yaml")
ROLLOUT = "argo/rollout.yaml"
BACKGROUND = """\
      analysis:
        templates: [{templateName: release-gate, clusterScope: true}]
        args: [{name: service, value: checkout}, {name: namespace, value: shop},
          {name: canary-hash, valueFrom: {podTemplateHashValue: Latest}},
          {name: stable-hash, valueFrom: {podTemplateHashValue: Stable}}]
"""


def in_background(text: str) -> str:
    """The Rollout with its analysis beside the steps instead of among them."""
    head, _, _ = text.partition("        - analysis: &gate")
    return head.replace("      steps:\n", f"{BACKGROUND}      steps:\n")


def test_an_analysis_in_the_background_alone_is_ended_as_a_success():
    text = in_background(example(ROLLOUT))
    (one,) = found(TEMPLATE, text)
    assert (one.check, one.level) == ("background-only", "error")
    assert "ended as Successful" in one.message
    assert text.splitlines()[one.line - 1].strip() == "analysis:"


def test_an_experiment_that_waits_is_as_good_as_a_step():
    text = example("argo/experiment.yaml", ("      steps:\n", f"{BACKGROUND}      steps:\n"))
    assert checks(TEMPLATE, text) == set()
    ended = text.replace("            # No `duration`", "            duration: 1h\n            #")
    ended = ended.replace("requiredForCompletion: true\n", "requiredForCompletion: false\n")
    assert checks(TEMPLATE, ended) == {"background-only", "not-required"}


def test_of_a_template_that_was_not_given_it_is_said_with_care():
    told = {one.check: one.level for one in found(in_background(example(ROLLOUT)))}
    assert told == {"background-only": "warning", "template-not-given": "note"}


def test_a_background_analysis_beside_a_step_that_waits_is_fine():
    text = example(ROLLOUT, ("      steps:\n", f"{BACKGROUND}      steps:\n"))
    assert checks(TEMPLATE, text) == set()


@pytest.mark.parametrize(
    ("change", "check", "says"),
    [
        (("Value: Latest", "Value: Stable"), "swapped-arms", "the canary is the Stable version"),
        (("valueFrom: {podTemplateHashValue: Latest}", "value: 7d4b9c"), "constant-version",
         "always '7d4b9c'"),
        (("              - {name: service, value: checkout}\n", ""), "arg-not-given", "'service'"),
        (("{name: service,", "{name: servce,"), "arg-unknown", "did you mean 'service'?"),
        ((", clusterScope: true", ""), "wrong-scope", "ClusterAnalysisTemplate here"),
        (("templateName: release-gate", "templateName: other"), "template-not-given", "'other'"),
        (("        - setWeight: 10\n", ""), "no-traffic", "before the canary has traffic"),
        (("setWeight: 10", "setWeight: 100"), "asked-late", "all the traffic"),
        (("            args:\n", "            dryRun: [{metricName: verd}]\n            args:\n"),
         "dry-run", "does not count"),
        (("        - analysis: &gate", "        - analyses: &gate"), "unknown-field",
         "did you mean 'analysis'?"),
    ],
)  # fmt: skip
def test_a_trap_in_a_rollout(change, check, says):
    one = next(one for one in found(TEMPLATE, example(ROLLOUT, change)) if one.check == check)
    assert says in one.message


def test_a_rollout_that_asks_nobody_is_told_so():
    text = example(ROLLOUT)
    text = text[: text.index("        - analysis: &gate")]
    (one,) = found(TEMPLATE, text)
    assert (one.check, one.level) == ("no-analysis", "note")


def test_what_a_template_names_is_followed():
    outer = (
        "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: outer}\n"
        "spec: {templates: [{templateName: release-gate, clusterScope: true}]}\n"
    )
    text = in_background(example(ROLLOUT))
    text = text.replace("{templateName: release-gate, clusterScope: true}", "{templateName: outer}")
    assert checks(TEMPLATE, outer, text) == {"background-only"}


def test_an_experiment_with_a_duration_ends_what_it_does_not_require():
    change = ("            # No `duration`", "            duration: 1h\n            #")
    kept = example("argo/experiment.yaml", change)
    assert checks(TEMPLATE, kept) == set()
    lost = kept.replace("requiredForCompletion: true\n", "requiredForCompletion: false\n")
    told = {one.check: one.level for one in found(TEMPLATE, lost)}
    assert told == {"not-required": "error", "no-analysis": "note"}
    (one,) = (one for one in found(lost) if one.check == "not-required")
    assert one.level == "warning"


def test_an_experiment_names_its_own_templates():
    text = example("argo/experiment.yaml", ("{{templates.canary.", "{{templates.new."))
    (one,) = found(TEMPLATE, text)
    assert "no template 'new'" in one.message


def test_an_experiment_of_its_own_is_read_like_a_step():
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: e}\nspec:\n"
        "  duration: 1h\n  templates: [{name: a}, {name: b}]\n  analyses:\n"
        "    - {name: gate, templateName: release-gate, clusterScope: true}\n"
    )
    assert checks(TEMPLATE, text) == {"not-required", "arg-not-given"}


def test_a_run_must_have_all_its_values():
    text = TEMPLATE.replace("ClusterAnalysisTemplate", "AnalysisRun")
    assert checks(text) == {"arg-not-given"}


def test_a_blue_green_rollout_is_looked_into():
    text = example(ROLLOUT)
    head = text[: text.index("    canary:\n      steps")]
    analysis = BACKGROUND.replace("Latest", "Stable", 1).replace(
        "analysis:", "prePromotionAnalysis:"
    )
    assert checks(TEMPLATE, f"{head}    blueGreen:\n{analysis}") == {"swapped-arms"}


def test_a_blue_green_rollout_that_asks_after_the_switch():
    text = example(ROLLOUT)
    head = text[: text.index("    canary:\n      steps")]
    before, after = (
        BACKGROUND.replace("analysis:", f"{when}PromotionAnalysis:") for when in ("pre", "post")
    )
    assert checks(TEMPLATE, f"{head}    blueGreen:\n{after}") == {"asked-late"}
    assert checks(TEMPLATE, f"{head}    blueGreen:\n{before}{after}") == set()


def test_an_old_argo_is_found_by_its_image_or_told():
    controller = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: argo-rollouts}\nspec:\n"
        "  template:\n    spec:\n      containers:\n"
        "        - {name: c, image: 'quay.io/argoproj/argo-rollouts:v1.8.2'}\n"
    )
    (one,) = found(controller, TEMPLATE)
    assert (one.check, one.file, one.line) == ("old-argo", "0.yaml", 8)
    assert checks(controller.replace("1.8.2", "1.8.3"), TEMPLATE) == set()
    assert checks(TEMPLATE, argo=version("v1.8.2")) == {"old-argo"}
    assert checks(TEMPLATE, argo=version("1.10.0-rc1")) == set()
