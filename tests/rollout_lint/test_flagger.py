"""Flagger's Canaries and MetricTemplates, each with one thing wrong."""

from __future__ import annotations

import pytest

from tests.rollout_lint.parts import checks, example, found

CANARY, METRIC = "flagger/canary.yaml", "flagger/metric-template.yaml"
BASE = "http://release-gate.release-gate.svc:8080/v1/flagger/"
TRAFFIC = f"""\
      - name: each step
        type: confirm-traffic-increase
        url: {BASE}confirm-traffic-increase
"""


def without(text: str, hook: str) -> str:
    """The Canary without its hook of that type."""
    parts = text.split("      - name: ")
    kept = [one for one in parts if f"type: {hook} " not in f"{one.replace(chr(10), ' ')} "]
    return "      - name: ".join(kept)


@pytest.mark.parametrize(
    ("change", "check", "level", "says"),
    [
        ((f"{BASE}rollback", f"{BASE}rollout"), "hook-path", "error", "good releases are rolled"),
        ((f"{BASE}rollout", f"{BASE}rollback"), "hook-path", "error", "bad releases go on"),
        ((f"{BASE}confirm-promotion", f"{BASE}rollout"), "hook-path", "error", "asked before roll"),
        ((f"{BASE}pre-rollout", f"{BASE}prerollout"), "hook-path", "error", "404"),
        ((f"{BASE}rollout", f"{BASE[:-8]}argo/verdict"), "hook-path", "error", "is no hook"),
        (("        type: confirm-promotion  # w", "        # w"), "hook-path", "error",
         "the type where none is written"),
        (("type: rollback", "type: roll-back"), "hook-type", "error", "did you mean 'rollback'?"),
        ((f"{BASE}rollout\n", f"{BASE}rollout?token=gate_x\n"), "token-in-url", "error", "events"),
        ((BASE, "https://gate.example.com/v1/flagger/"), "public-host", "warning", "for a yes"),
        ((BASE, "http://gate.example.com/v1/flagger/"), "plain-http", "warning", "unencrypted"),
        (("timeout: 10s", "timeout: 2s"), "timeout", "warning", "which is a no"),
        (("timeout: 10s", "timeout: 1m"), "timeout", "note", "within 10 s"),
        (("        retries: 2\n", ""), "retries", "warning", "never forgiven"),
        (("        timeout: 10s\n", "        timeout: 10s\n        disableTLS: true\n"), "insecure",
         "warning", "answer yes"),
        (("threshold: 5", "threshold: 0"), "threshold-one", "warning", "is read as 1"),
        (("threshold: 5", "threshold: 1"), "threshold-one", "warning", "first failed check"),
        (("  analysis:\n", "  skipAnalysis: true\n  analysis:\n"), "skip-analysis", "error",
         "nobody is asked"),
        (("stepWeight: 10", "stepweight: 10"), "unknown-field", "error", "'stepWeight'?"),
    ],
)  # fmt: skip
def test_a_trap_in_a_canary(change, check, level, says):
    one = next(one for one in found(example(CANARY, change)) if one.check == check)
    assert one.level == level
    assert says in one.message


def test_a_canary_with_nobody_to_ask_is_promoted_by_the_clock():
    text = example(CANARY)
    nobody = text[: text.index("    webhooks:")]
    assert checks(nobody) == {"nothing-asked"}
    ends = without(text.replace("*metadata", "{service: checkout}"), "rollout")
    for hook in ("confirm-rollout", "pre-rollout", "confirm-promotion", "rollback"):
        ends = without(ends, hook)
    assert checks(ends) == {"nothing-asked"}


def test_without_confirm_promotion_a_hold_is_promoted():
    (one,) = found(without(example(CANARY), "confirm-promotion"))
    assert (one.check, one.level) == ("no-confirm-promotion", "error")


def test_somebody_must_ask_about_the_rollback():
    text = without(without(example(CANARY), "rollback"), "rollout")
    assert checks(text) == {"no-rollback"}
    assert checks(without(example(CANARY), "rollback")) == set()


def test_the_traffic_hook_never_lets_the_first_step_go():
    text = example(CANARY)
    assert checks(f"{text}{TRAFFIC}") == {"first-step"}
    green = text.replace("    maxWeight: 50\n    stepWeight: 10\n", "    iterations: 10\n")
    assert checks(f"{green}{TRAFFIC}") == set()


def test_the_hooks_of_others_are_left_alone():
    load = (
        "      - name: load\n        type: rollout\n"
        "        url: http://flagger-loadtester.test/?token=x\n        timeout: 1s\n"
    )
    assert checks(f"{example(CANARY)}{load}") == set()


@pytest.mark.parametrize(
    ("change", "check", "level", "says"),
    [
        (("type: prometheus", "type: promtheus"), "provider", "error", "'prometheus'?"),
        (("{min: 0}", "{max: 1}"), "threshold-range", "error", "-1 pass"),
        (("{min: 0}", "{min: -1}"), "threshold-range", "error", "-1 pass"),
        (("thresholdRange: {min: 0}", "threshold: 1"), "threshold-range", "error", "-1 pass"),
        (("{min: 0}", "{min: 0, max: 0}"), "threshold-range", "error", "not let 1 pass"),
        (("{min: 0}", "{min: 1}"), "threshold-range", "warning", "holds are failed checks"),
        (("type: confirm-promotion", "type: event"), "no-confirm-promotion", "error", "last step"),
        ((',release="{{ variables.release }}"', ""), "constant-version", "error", "one rollout"),
        (("gate_verdict{", "1 + gate_verdict{"), "query", "error", "plain selector"),
        (("templateRef: {name: release-gate}", "templateRef: {name: other}"), "template-not-given",
         "note", "'other'"),
    ],
)  # fmt: skip
def test_a_trap_in_a_metric(change, check, level, says):
    one = next(one for one in found(example(METRIC, change)) if one.check == check)
    assert one.level == level
    assert says in one.message
