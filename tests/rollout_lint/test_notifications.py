"""Argo's notification ConfigMap: word of the end must arrive."""

from __future__ import annotations

import pytest

from tests.rollout_lint.parts import checks, example, found

FILE = "argo/notifications.yaml"


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        (("        method: POST\n", ""), "error", "GET, the default, has no body"),
        (("method: POST", "method: PUT"), "error", "PUT"),
        (("path: /v1/argo/outcome", "path: /v1/argo/verdict"), "error", "takes no outcomes"),
        (('"event": "aborted"', '"event": "failed"'), "error", "names no event"),
        (("      - {name: Content-Type, value: application/json}\n", ""), "warning",
         "no Content-Type"),
        (("{name: Authorization", "{key: Authorization"), "error", "`key` is left out"),
        (("{{toJson .rollout.status.message}}", '"{{.rollout.status.message}}"'), "warning",
         "breaks the JSON"),
        (("[rollout-aborted, release-gate-aborted]", "[release-gate-aborted]"), "warning",
         "replaces Argo's own"),
        (("[rollout-completed, release-gate-completed]", "[rollout-completed]"), "warning",
         "never hears of it"),
        (("service.webhook.release-gate", "service.webhook.gate"), "note", "there is no"),
        (("    - send: [rollout-aborted, ", "    - send: [[rollout-aborted, "), "error",
         "is no YAML"),
    ],
)  # fmt: skip
def test_a_trap_in_the_config_map(change, level, says):
    told = [one for one in found(example(FILE, change)) if says in one.message]
    assert told
    assert {(one.check, one.level) for one in told} == {("notification", level)}


def test_a_finding_stands_at_its_key():
    text = example(FILE, ("[rollout-aborted, release-gate-aborted]", "[release-gate-aborted]"))
    (one,) = found(text)
    assert text.splitlines()[one.line - 1].strip() == "trigger.on-rollout-aborted: |"


def test_other_config_maps_are_passed_over():
    assert checks(example(FILE, ("argo-rollouts-notification-configmap", "other"))) == set()
