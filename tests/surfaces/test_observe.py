"""A policy that only observes blocks nothing, and nobody can take what it says for an order."""

import json

import pytest

from gate.surfaces.cli.main import run
from tests.parts.ports import free_port
from tests.parts.rollouts import RECORDED
from tests.parts.services import service_file

MOMENTS = {
    "v1.9.0": ("2026-11-02T11:00:00Z", "1h", "promote"),
    "v1.9.1": ("2026-11-03T11:00:00Z", "1h", "rollback"),
    "v1.9.2": ("2026-11-04T10:08:00Z", "8m", "hold"),
}
OBSERVING = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: shadow
mode: observe
extends: standard
rules:
  - {name: soft, when: "true", then: warn, message: a warning, owner: sre}
  - {name: trial, when: "true", then: rollback, mode: audit, message: a trial, docs: "https://x"}
"""


def check(tmp_path, capfd, canary, form="json"):
    (tmp_path / "shadow.yaml").write_text(OBSERVING)
    moment, since, _ = MOMENTS[canary]
    code = run(
        ["check", "-f", str(RECORDED), "--canary", canary, "--baseline", "v1.8.0", "--as-of",
         moment, "--since", since, "--policy", str(tmp_path / "shadow.yaml"), "--format", form,
         "--ledger", str(tmp_path / "ledger.db")]
    )  # fmt: skip
    return code, capfd.readouterr().out


@pytest.mark.parametrize("canary", MOMENTS)
def test_it_exits_0_and_keeps_the_honest_outcome(tmp_path, capfd, canary):
    code, out = check(tmp_path, capfd, canary)
    told = json.loads(out)
    assert (code, told["exit_code"]) == (0, 0)
    assert (told["verdict"], told["enforced"]) == (MOMENTS[canary][2], False)
    assert [one["rule"] for one in told["warnings"]] == ["soft"]
    assert [(one["rule"], one["outcome"]) for one in told["audited"]] == [("trial", "rollback")]


@pytest.mark.parametrize(("form", "head"), [("text", ""), ("markdown", "### 👁️ ")])
def test_the_headline_says_so(tmp_path, capfd, form, head):
    code, out = check(tmp_path, capfd, "v1.9.1", form)
    assert code == 0
    assert out.startswith(f"{head}OBSERVED ROLLBACK (not enforced)")
    assert "Warnings" in out
    assert "Would have said (audited)" in out
    assert "(owner sre)" in out


def test_a_dead_source_is_an_observed_hold_and_no_promote(tmp_path, capfd):
    # Not 30: a policy that observes blocks nothing; and no promote: nothing was shown.
    (tmp_path / "shadow.yaml").write_text(OBSERVING)
    file = service_file(tmp_path, f"http://127.0.0.1:{free_port()}")
    code = run(
        ["check", "-f", str(file), "--canary", "v2", "--baseline", "v1", "--since", "30m",
         "--as-of", "1700003640", "--policy", str(tmp_path / "shadow.yaml"), "--format", "json",
         "--timeout", "2s", "--ledger", str(tmp_path / "ledger.db")]
    )  # fmt: skip
    told = json.loads(capfd.readouterr().out)
    assert (code, told["verdict"], told["enforced"]) == (0, "hold", False)
    assert told["analysis"]["safe"] is False


def test_it_is_told_again_and_decided_again_as_observed(tmp_path, capfd):
    _, out = check(tmp_path, capfd, "v1.9.1")
    id_, ledger = json.loads(out)["id"], ["--ledger", str(tmp_path / "ledger.db")]
    assert run(["ledger", "show", id_, *ledger]) == 0
    assert capfd.readouterr().out.startswith("OBSERVED ROLLBACK")
    assert run(["replay", id_, *ledger]) == 0


def test_a_ledger_that_cannot_be_written_is_an_error_all_the_same(tmp_path, capfd):
    (tmp_path / "ledger.db").mkdir()
    code, out = check(tmp_path, capfd, "v1.9.0")
    assert (code, out) == (30, "")


def test_nobody_waits_for_what_is_only_observed(tmp_path, capfd):
    (tmp_path / "shadow.yaml").write_text(OBSERVING)
    ledger = ["--ledger", str(tmp_path / "ledger.db")]
    code = run(
        ["check", "-f", str(RECORDED), "--canary", "v9", "--baseline", "v1.8.0", "--since", "20m",
         "--policy", str(tmp_path / "shadow.yaml"), "--wait", "10m", "--on-timeout", "rollback",
         *ledger]
    )  # fmt: skip
    assert code == 0
    assert capfd.readouterr().out.startswith("OBSERVED HOLD (not enforced)")
    assert run(["ledger", "list", *ledger]) == 0
    assert len(capfd.readouterr().out.splitlines()) == 1
