"""`gate freezes` and `gate override`, as people and pipelines call them."""

from __future__ import annotations

import json

import pytest

from gate.ledger.overrides import grant
from gate.ledger.sqlite import SqliteLedger
from gate.override import Override
from gate.surfaces.cli.main import run
from tests.parts.rollouts import RECORDED

POLICY = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: web
extends: standard
overrides: {longest: 2h, approvers: [Grace, Linus], rules: []}
freezes:
  - {name: weekend, cron: "0 18 * * 5", duration: 62h, zone: Europe/Berlin, except: [hotfix]}
  - {name: audit, from: 2026-11-02T11:00, until: 2026-11-02T15:00, zone: Europe/Berlin}
  - {name: elsewhere, from: 2026-11-01, until: 2026-12-01, services: [other]}
"""
AS_OF = 1_793_617_200.0  # 2026-11-02T11:00:00Z
CHECK = ["check", "-f", str(RECORDED), "--baseline", "v1.8.0", "--canary", "v1.9.0", "--since",
         "1h", "--as-of", "2026-11-02T11:00:00Z"]  # fmt: skip
ASK = ["override", "add", "--service", "checkout", "--version", "v1.9.0", "--by", "ada",
       "--approved-by", "grace", "--reason", "it must go", "--ticket", "INC-1"]  # fmt: skip


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    path = tmp_path / "ledger.db"
    monkeypatch.setenv("GATE_LEDGER", str(path))
    return SqliteLedger(path)


@pytest.fixture
def policy(tmp_path):
    file = tmp_path / "web.yaml"
    file.write_text(POLICY)
    return ["--policy", str(file)]


def told(capfd, *arguments):
    """The exit code, and the JSON of the command."""
    code = run([*arguments, "--format", "json"])
    return code, json.loads(capfd.readouterr().out)


FROM = ["freezes", "-f", str(RECORDED), "--from", "2026-10-31T00:00:00Z", "--for", "7d"]


def test_the_windows_to_come_are_listed(capfd, policy):
    assert run([*FROM, *policy]) == 0
    lines = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert ["weekend", "Fri", "2026-10-30", "18:00", "CET", "Mon", "2026-11-02", "08:00", "CET",
            "hotfix"] in lines  # fmt: skip
    code, listed = told(capfd, *FROM, *policy)
    assert code == 0
    assert listed["schema"] == "gate.freezes/v1"
    assert [one["name"] for one in listed["windows"]] == ["weekend", "audit", "weekend"]
    assert listed["windows"][1]["starts"] == "2026-11-02T11:00:00+01:00"


def test_a_policy_without_freezes_says_so(capfd):
    assert run(FROM) == 0
    assert "no window in this time" in capfd.readouterr().out
    assert run([*FROM, "--for", "0s"]) == 2


def test_a_frozen_release_holds_and_says_until_when(capfd, policy):
    assert run([*CHECK, *policy]) == 10
    out = " ".join(capfd.readouterr().out.split())
    assert "hold: audit: frozen by 'audit' until Mon 2026-11-02 15:00 CET (in 3 h)" in out
    code, report = told(capfd, *CHECK, *policy)
    assert (code, report["facts"]["calendar.freeze"]) == (10, "audit")
    assert [one["name"] for one in report["calendar"]] == ["weekend", "audit"]
    assert run(["replay", report["id"]]) == 0
    assert "every number is the same" in capfd.readouterr().out


def test_a_label_that_the_freeze_excepts_lets_it_pass(capfd, tmp_path, policy):
    file = tmp_path / "web.yaml"
    file.write_text(POLICY.replace("until: 2026-11-02T15:00,", "until: 2026-11-02T15:00, "
                                   "except: [emergency],"))  # fmt: skip
    assert run([*CHECK, *policy]) == 10
    assert run([*CHECK, *policy, "--label", "urgent"]) == 10
    capfd.readouterr()
    code, report = told(capfd, *CHECK, *policy, "--label", "emergency")
    assert (code, report["notes"]) == (0, ["freeze 'audit' lets this pass: emergency"])
    assert report["request"]["labels"] == ["emergency"]


def test_an_override_lifts_it_and_every_report_says_so(capfd, policy, ledger):
    granted = grant(
        ledger,
        Override(
            id="", service="checkout", version="v1.9.0", by="ada", approved_by="grace",
            reason="it *must* go", ticket="INC-1", created_at=AS_OF - 600,
            expires_at=AS_OF + 3000, rules=("audit",),
        ),
    )  # fmt: skip
    assert run([*CHECK, *policy]) == 0
    out = " ".join(capfd.readouterr().out.split())
    assert out.startswith("PROMOTE")
    assert f"hold (lifted: override {granted.id[:8]}): audit: frozen by 'audit'" in out
    assert "of ada, approved by grace, until 11:50 UTC, for audit: INC-1: it *must* go; 1 of" in out
    code, report = told(capfd, *CHECK, *policy)
    assert (code, report["facts"]["history.overrides_30d"]) == (0, 1)
    assert run(["replay", report["id"]]) == 0
    assert run([*CHECK, *policy, "--format", "markdown"]) == 0
    assert r"it \*must\* go" in capfd.readouterr().out


def test_one_is_granted_listed_and_taken_back(capfd, policy):
    code, granted = told(capfd, *ASK, *policy, "--rule", "weekend", "--for", "2h")
    (one,) = granted["overrides"]
    assert (code, one["standing"], one["rules"]) == (0, "in force", ["weekend"])
    assert run(["override", "list", "--service", "checkout"]) == 0
    assert capfd.readouterr().out.startswith("in force checkout v1.9.0  override ")
    assert told(capfd, "override", "list", "--service", "other")[1]["overrides"] == []
    assert run(["ledger", "show", one["id"]]) == 2
    assert "is no decision but: override" in capfd.readouterr().err
    assert run(["override", "revoke", one["id"][:8], "--by", "linus"]) == 0
    assert capfd.readouterr().out.startswith("revoked  checkout")
    assert run(["override", "revoke", one["id"], "--by", "linus"]) == 2
    assert "was revoked already, by linus" in capfd.readouterr().err
    assert run(["ledger", "verify"]) == 0


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--approved-by", ""], "an override needs who approves it (--approved-by)"),
        (["--approved-by", "ADA"], "ada cannot approve their own override"),
        (["--reason", " "], "an override needs a reason (--reason)"),
        (["--for", "5h"], "an override lasts at most 4h"),
        (["--for", "0s"], "would have expired already"),
        (["--for", "soon"], "'soon' is not a duration"),
    ],
)
def test_what_may_not_be_granted_is_one_message_and_exit_2(capfd, ledger, flags, complaint):
    assert run([*ASK, *flags]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert complaint in captured.err
    assert not ledger.path.exists()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--rule", "weekand"], "policy 'web' has no rule 'weekand'; did you mean 'weekend'?"),
        (["--rule", "regression"], "policy 'web' does not let 'regression' be overridden"),
        (["--for", "3h"], "by policy 'web' an override lasts at most 2h"),
        (["--approved-by", "mallory"], "mallory may not approve by policy 'web'"),
        (["-f", "none.yaml"], "none.yaml: no such file"),
        (["-f", str(RECORDED), "--service", "other"], "is the file of 'checkout', not of 'other'"),
    ],
)
def test_with_a_policy_its_terms_are_checked_first(capfd, policy, ledger, flags, complaint):
    assert run([*ASK, *policy, *flags]) == 2
    assert complaint in capfd.readouterr().err
    assert not ledger.path.exists()


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ("{longest: 5h}", "5:13: longest must lie between 0s and 4h: it may shorten"),
        ("{rules: [regresion]}",
            "5:21: no rule is named 'regresion'; did you mean 'regression'?"),
        ("{approver: [x]}", "5:13: unknown key 'approver'; did you mean 'approvers'?"),
    ],
)  # fmt: skip
def test_wrong_terms_are_told_with_their_place(capfd, tmp_path, policy, overrides, complaint):
    line = POLICY.splitlines()[4]
    (tmp_path / "web.yaml").write_text(POLICY.replace(line, f"overrides: {overrides}"))
    assert run([*CHECK, *policy]) == 2
    assert complaint in capfd.readouterr().err


def test_going_back_to_what_never_ran_is_judged_and_says_what_to_do(capfd):
    assert run(CHECK) == 0
    bad = [*CHECK, "--canary", "v1.9.1", "--as-of", "2026-11-03T11:00:00Z", "--rollback"]
    capfd.readouterr()
    code, report = told(capfd, *bad)
    assert (code, report["verdict"]) == (20, "rollback")
    assert "'v1.9.1' was not seen running before" in report["notes"][0]
    code, report = told(capfd, *CHECK, "--canary", "v1.8.0", "--rollback")
    assert (code, report["reasons"][0]["rule"]) == (0, "going back is never blocked")
