"""`gate risk --pr` and a service whose change comes from GitHub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gate.surfaces.cli.main import run
from tests.parts.broken import Reply, answering
from tests.parts.hub import FakeGitHub, PullOf, a_file, approved, said
from tests.parts.ports import free_port

RECORDING = Path(__file__).parents[2] / "examples" / "recorded" / "recording.json"
SERVICE = """\
apiVersion: gate/v1
kind: Service
name: checkout
sources:
  recording: {{kind: file, path: {recording}}}
  hub: {{kind: github, repo: acme/shop, url: "{url}", attempts: 2}}
arms: {{canary: 'version="{{{{canary}}}}"', baseline: 'version="{{{{baseline}}}}"'}}
lag: 0s
metrics:
  - name: errors
    kind: events
    source: recording
    bad: 'http_requests_total{{ {{{{selector}}}},code=~"5.." }}'
    total: 'http_requests_total{{ {{{{selector}}}} }}'
change: {{source: hub, pull: {{source: hub, number: "{{{{pr}}}}"}}}}
policy: ./careful.yaml
"""
POLICY = """\
apiVersion: gate/v1
kind: ReleasePolicy
name: careful
rules:
  - {name: safe, when: analysis.safe, then: promote, message: "shown safe"}
  - {name: risky, when: 'risk.level == "critical"', then: hold, message: "too risky"}
  - {name: alone, when: change.self_approved, then: hold, message: "nobody else looked"}
  - {name: unreviewed, when: change.approvals < 1, then: hold, message: "no approval"}
  - {name: red, when: size(change.checks_failing) > 0, then: hold, message: "checks fail"}
"""
GOOD = FakeGitHub(
    PullOf(reviews=[approved("bob")], labels=("security",)), runs=[("test", "completed", "success")]
)


@pytest.fixture(autouse=True)
def around(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_LEDGER", str(tmp_path / "ledger.db"))
    for name in ("GITHUB_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "careful.yaml").write_text(POLICY)


def told_of(reference, url, capfd, *flags):
    code = run(["risk", "--pr", reference, "--github-url", url, *flags])
    return code, *capfd.readouterr()


def test_a_pull_request_is_weighed_with_the_facts_around_it_in_every_format(capfd):
    with answering(GOOD) as server:
        for form in ("text", "markdown"):
            code, out, err = told_of("acme/shop#7", server.url, capfd, "--format", form)
            assert (code, err) == (0, "")
            assert "4 lines in 1 file in 1 directory" in out
            assert "1 approval, labels security" in out
            assert "checks: failing none; pending none; missing none" in out
        code, out, _ = told_of("acme/shop#7", server.url, capfd, "--format", "json")
    told = json.loads(out)
    assert code == 0
    assert told["schema"] == "gate.risk/v1"
    assert told["risk"]["level"] == "low"
    assert told["change"]["files"] == 1
    assert told["pull_requests"]["approvals"] == 1
    assert told["pull_requests"]["self_approved"] is False


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (said(404, "Not Found"), "there is no pull request acme/shop#7 to be seen"),
        (said(401, "Bad credentials"), "401: Bad credentials"),
        (said(403, "Resource not accessible"), "lacks the permission"),
        (said(403, "limit", x_ratelimit_remaining="0", x_ratelimit_reset="1893456000"),
         "rate limit reached until 2030-01-01 00:00:00 UTC"),
        (Reply(200, b"<html>", kind="text/html"), "ends in /api/v3"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_one_message_and_no_risk(capfd, reply, told):
    with answering(lambda _: reply) as server:
        code, out, err = told_of("acme/shop#7", server.url, capfd)
    assert (code, out) == (30, "")
    assert told in err


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--pr", "acme/shop/7"], "'acme/shop/7' names no pull request\n  write OWNER/NAME#123"),
        (["--pr", "acme/shop#0"], "names no pull request"),
        (["--pr", "acme/..#7"], "names no pull request"),
        (["--pr", "acme/shop#7", "--repo", "."], "--pr and --repo exclude each other"),
        (["--pr", "acme/shop#7", "--base", "v1"], "--pr and --base exclude each other"),
        (["--pr", "acme/shop#7", "--github-url", "ghe"], "--github-url: an http:// or https://"),
        (["--github-url", "https://ghe.example/api/v3"], "--github-url means nothing without --pr"),
        ([], "--base is missing\n  name both ends, --base v1.8.0 --head HEAD, or --pr"),
    ],
)
def test_what_is_asked_wrongly_is_told_before_anything_is_asked(capfd, flags, told):
    assert run(["risk", *flags]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert told in err


def check(folder, url, capfd, *flags):
    file = folder / "gate.yaml"
    file.write_text(SERVICE.format(url=url, recording=RECORDING))
    release = ["--canary", "v1.9.0", "--baseline", "v1.8.0", "--since", "1h"]
    when = ["--as-of", "2026-11-02T11:00:00Z", "--var", "pr=7", "--timeout", "3s", *flags]
    code = run(["check", "-f", str(file), *release, *when, "--format", "json"])
    return code, json.loads(capfd.readouterr().out)


def test_a_small_reviewed_change_goes_on_and_is_replayed(tmp_path, capfd):
    with answering(GOOD) as server:
        code, told = check(tmp_path, server.url, capfd)
    assert (code, told["verdict"]) == (0, "promote")
    assert told["facts"]["risk.level"] == "low"
    assert told["facts"]["change.types"] == ["fix", "security", "untyped"]
    assert told["facts"]["change.labels"] == ["security"]
    assert run(["replay", told["id"]]) == 0
    assert "every number is the same" in capfd.readouterr().out
    run(["ledger", "show", told["id"]])
    assert "pull request #7: 1 approval" in " ".join(capfd.readouterr().out.split())


@pytest.mark.parametrize(
    ("pull", "rule"),
    [
        (PullOf(merged=True, merged_by="ann"), "alone"),
        (PullOf(reviews=[approved("bob", of="older")]), "unreviewed"),
        (PullOf(files=[a_file(f"lib{n}/x.py", 500) for n in range(40)]), "risky"),
    ],
)
def test_what_the_policy_asks_of_a_pull_request_holds_the_release(tmp_path, capfd, pull, rule):
    with answering(FakeGitHub(pull)) as server:
        code, told = check(tmp_path, server.url, capfd)
    assert code == 10
    assert rule in [reason["rule"] for reason in told["reasons"]]


def test_github_down_leaves_gaps_and_the_release_held(tmp_path, capfd):
    code, told = check(tmp_path, f"http://127.0.0.1:{free_port()}", capfd)
    assert (code, told["verdict"]) == (10, "hold")
    assert (told["risk"], told["change"], told["pull_requests"]) == (None, None, None)
    gaps = {gap["about"]: gap["cause"] for gap in told["gaps"]}
    assert gaps["change"] == gaps["pull request"] == "unreachable"
    assert told["facts"]["change.pull_asked"] is True
    assert not {"risk.level", "change.approvals", "change.types"} & set(told["facts"])
    rules = {reason["rule"] for reason in told["reasons"]}
    assert {"risky", "alone", "unreviewed", "red"} <= rules
    assert run(["replay", told["id"]]) == 0


def test_a_pull_request_that_does_not_exist_holds_too(tmp_path, capfd):
    with answering(FakeGitHub()) as server:
        code, told = check(tmp_path, server.url, capfd)
    assert code == 10
    assert "there is no pull request acme/shop#7" in str(told["gaps"])


def test_a_number_left_out_is_a_mistake_of_the_caller(tmp_path, capfd):
    file = tmp_path / "gate.yaml"
    file.write_text(SERVICE.format(url="http://127.0.0.1:9", recording=RECORDING))
    release = ["--canary", "v1.9.0", "--baseline", "v1.8.0", "--since", "1h"]
    assert run(["check", "-f", str(file), *release]) == 2
    assert "give others with --var pr=VALUE" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("repo: shop", "sources.hub.repo: a repository is written owner/name"),
        ("repo: acme/shop, url: ghe", "sources.hub.url: an http:// or https:// address is needed"),
        ("repo: acme/shop, url: 'https://u:p@ghe/api/v3'", "credentials do not belong in a url"),
        ("repo: acme/shop, tokn_env: X", "unknown key 'tokn_env'; did you mean 'token_env'?"),
        ("repo: acme/shop, label_types: {hotfx: [x]}", "label_types.hotfx"),
    ],
)
def test_a_section_that_is_wrong_is_told_with_its_place(tmp_path, capfd, written, told):
    text = SERVICE.format(url="http://x", recording=RECORDING)
    text = text.replace('repo: acme/shop, url: "http://x", attempts: 2', written)
    (tmp_path / "gate.yaml").write_text(text)
    release = ["--canary", "v1.9.0", "--baseline", "v1.8.0", "--since", "1h", "--var", "pr=7"]
    assert run(["check", "-f", str(tmp_path / "gate.yaml"), *release]) == 2
    err = capfd.readouterr().err
    assert f"{tmp_path}/gate.yaml:6:" in err
    assert told in err
