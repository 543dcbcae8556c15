"""Who may ask what: tokens, their scope, and how often."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gate.errors import UsageError
from gate.settings import Settings
from gate.surfaces.cli.main import run
from gate.surfaces.http.configuration import address, build, setup
from gate.surfaces.http.limiter import Limiter
from gate.surfaces.http.tokens import Caller, Verb
from gate.surfaces.http.tokens_file import load
from tests.http.parts import BAD, EVERYTHING, EXAMPLE, HOUR, ask, past, running, token, tokens

ROOT = Path(__file__).parents[2]
ASKS = Caller("asks", ("check*",), frozenset({Verb.ASK}))
TELLS = Caller("tells", ("checkout",), frozenset({Verb.OUTCOME}))
STRANGER = Caller("stranger", ("shop-*",), frozenset({Verb.ASK, Verb.OUTCOME}))


@pytest.fixture
def server(tmp_path):
    return running(tmp_path, tokens=tokens(ASKS, TELLS, STRANGER, EVERYTHING))


def bearer(name):
    return {"Authorization": f"Bearer {token(name)}"}


@pytest.mark.parametrize(
    ("name", "asking", "telling"),
    [("asks", 200, 403), ("tells", 403, 200), ("stranger", 403, 403), ("nobody", 401, 401)],
)
def test_a_token_is_good_for_its_verbs_and_services(server, name, asking, telling):
    assert server.post("/v1/decisions", ask(), **bearer(name))[0] == asking
    outcome = {"service": "checkout", "version": "v1", "result": "completed"}
    assert server.post("/v1/outcomes", outcome, **bearer(name))[0] == telling


def test_no_token_is_logged_stored_or_told(server, caplog):
    caplog.set_level("INFO", "gate.http")
    answers = [
        server.post("/v1/decisions", ask(), **bearer("asks")),
        server.post("/v1/decisions", ask(), **bearer("nobody")),
        server.post("/v1/decisions", ask(token=token("asks")), **bearer("asks")),
        server.get(f"/v1/decisions?token={token('asks')}", **bearer("asks")),
        server.post("/v1/flagger/rollout", {"name": "checkout", "metadata": {
            "token": token("asks"), "canary": "c d"}}),
        server.post("/v1/argo/verdict", ask(canary=token("asks")) | {"x": 1}, **bearer("asks")),
    ]  # fmt: skip
    stored = b"".join(entry.record.body for entry in server.ledger.entries(kind=None))
    assert caplog.text.count('"event":"request"') == len(answers)
    assert '"caller":"asks"' in caplog.text
    for text in (caplog.text, stored.decode(), *map(str, answers)):
        assert "gate_" not in text.replace("gate_version", "")


def test_what_a_token_is_not_for_is_not_there(server):
    decision = server.post("/v1/decisions", ask(), **bearer("asks"))[1]["id"]
    assert server.get(f"/v1/decisions/{decision}", **bearer("asks"))[0] == 200
    assert server.get(f"/v1/decisions/{decision}", **bearer("stranger"))[0] == 404
    assert server.get("/v1/decisions", **bearer("stranger"))[1]["decisions"] == []
    for what in ("services", "policies"):
        assert server.get(f"/v1/{what}", **bearer("stranger"))[1][what] == []
    assert server.get("/canaryConfig", **bearer("stranger"))[1] == []


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic !!!", "Digest x=y", "gate_asks", "é"]
)
def test_a_header_that_is_no_token_is_401(server, header):
    status, told = server.post("/v1/decisions", ask(), Authorization=header)
    assert status == 401
    assert "asks" not in str(told)


def test_a_past_moment_is_judged_for_an_admin_alone(server):
    """Or a pipeline would choose one before the freeze, or with budget left."""
    server.clock.now += HOUR
    status, told = server.post("/v1/decisions", past(BAD), **bearer("asks"))
    assert (status, "may not judge the past" in told["error"]["reason"]) == (403, True)
    assert not server.ledger.path.exists()
    status, told = server.post("/v1/decisions", past(BAD), **bearer("root"))
    assert (status, told["verdict"]) == (200, "rollback")


def test_who_asks_too_often_waits(tmp_path):
    now = [0.0]
    limiter = Limiter(1.0, 2.0, lambda: now[0])
    server = running(tmp_path, tokens=tokens(ASKS, TELLS), limiter=limiter)
    codes = [server.get("/v1/services", **bearer("asks"))[0] for _ in range(3)]
    assert codes == [200, 200, 429]
    slowed = server.client.get("/v1/services", headers=bearer("asks"))
    assert slowed.headers["Retry-After"] == "1"
    assert server.get("/v1/services", **bearer("tells"))[0] == 403  # another's bucket
    assert server.get("/healthz")[0] == 200
    now[0] += 1.0
    assert server.get("/v1/services", **bearer("asks"))[0] == 200


def test_a_new_token_is_known_by_its_line(tmp_path, capfd):
    arguments = ["--service", "checkout", "--service", "shop-*", "--verb", "ask"]
    assert run(["token", "new", "argo", *arguments, "--format", "json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["token"] not in told["line"]
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens:\n{told['line']}\n")
    caller = load(file).caller(told["token"])
    assert caller == Caller("argo", ("checkout", "shop-*"), frozenset({Verb.ASK}))
    assert load(file).caller(told["token"] + "x") is None
    assert run(["token", "new", "argo", *arguments]) == 0
    assert told["token"] not in capfd.readouterr().out


def test_the_file_in_the_readme_is_one(tmp_path):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (shown,) = (one for one in blocks if "tokens:" in one)
    whole = re.sub(r'"[0-9a-f]{4}\.\.\."', f"'{'0' * 64}'", shown).replace("gate_...", "x" * 43)
    file = tmp_path / "tokens.yaml"
    file.write_text(whole)
    load(file)


def test_a_mistake_in_the_file_is_told_with_its_place(tmp_path):
    file = tmp_path / "tokens.yaml"
    file.write_text('tokens:\n  - {name: a, sha256: "abc", services: ["*"], verb: [ask]}\n')
    with pytest.raises(UsageError, match=r"tokens.yaml:2:\d+: unknown key 'verb'; did you mean"):
        load(file)
    line = f'  - {{name: a, sha256: "{"0" * 64}", services: ["*"], verbs: [ask]}}\n'
    file.write_text(f"tokens:\n{line}{line}")
    with pytest.raises(UsageError, match="two tokens are named 'a'"):
        load(file)


@pytest.mark.parametrize(
    ("listen", "starts"),
    [("127.0.0.1:80", True), ("[::1]:80", True), ("localhost:80", True), (":80", False),
     ("0.0.0.0:80", False), ("[::]:80", False), ("gate.example.com:80", False), (None, False)],
)  # fmt: skip
def test_without_tokens_it_listens_to_this_machine_only(tmp_path, listen, starts):
    settings = Settings(ledger=tmp_path / "ledger.db")
    where = {"listen": address(listen)} if listen else {}
    own = setup({}, services=(EXAMPLE,), **where)
    if starts:
        assert build(own, settings, {}).tokens is None
        return
    with pytest.raises(UsageError, match="without tokens anybody could ask"):
        build(own, settings, {})
    insecure = setup({"GATE_INSECURE": "true"}, services=(EXAMPLE,), **where)
    assert build(insecure, settings, {}).tokens is None
