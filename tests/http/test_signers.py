"""Signed bodies: whose they are, to the byte, and for how long."""

from __future__ import annotations

import hashlib
import hmac
import json

import orjson
import pytest

from gate.errors import UsageError
from gate.surfaces.cli.main import run
from gate.surfaces.http.signers import Signer, Signers
from gate.surfaces.http.tokens import Caller, Signature, Tokens, Verb
from gate.surfaces.http.tokens_file import load
from tests.http.parts import ask, running

OLD, NEW = "old " * 10, "new " * 10
HOOK = Caller("hook", ("checkout",), frozenset({Verb.ASK}))
STRICT = Caller("strict", ("checkout",), frozenset({Verb.OUTCOME}))
BODY = orjson.dumps(ask())
OUTCOME = b'{"service": "checkout", "version": "v1", "result": "completed"}'


@pytest.fixture
def server(tmp_path):
    signers = Signers(
        [Signer(HOOK, (OLD, NEW), timestamped=False), Signer(STRICT, ("s" * 40,), timestamped=True)]
    )
    return running(tmp_path, tokens=Tokens([], signers))


def signed(secret, body, timestamp=None):
    message = body if timestamp is None else f"{timestamp}.".encode() + body
    told = {
        "X_Gate_Signature_256": f"sha256={hmac.digest(secret.encode(), message, 'sha256').hex()}"
    }
    return told if timestamp is None else {**told, "X_Gate_Timestamp": str(timestamp)}


def test_the_signature_is_the_one_of_github():
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    signers = Signers([Signer(HOOK, ("It's a Secret to Everybody",), timestamped=False)])
    known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signers(b"Hello, World!", Signature(known, None), 0.0) == HOOK
    assert signers(b"Hello, World", Signature(known, None), 0.0) is None


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_either_secret_signs_while_one_replaces_the_other(server, secret):
    assert server.post("/v1/decisions", BODY, **signed(secret, BODY))[0] == 200


def test_a_signer_may_do_what_its_line_says(server):
    assert server.post("/v1/outcomes", OUTCOME, **signed(OLD, OUTCOME))[0] == 403
    other = orjson.dumps(ask() | {"service": "other"})
    assert server.post("/v1/decisions", other, **signed(OLD, other))[0] == 403


@pytest.mark.parametrize(
    "header",
    [
        {}, {"X_Gate_Signature_256": ""}, {"X_Gate_Signature_256": "sha256="},
        {"X_Gate_Signature_256": "sha1=" + hmac.digest(OLD.encode(), BODY, "sha1").hex()},
        {"X_Gate_Signature_256": "\xe9"}, signed("else " * 10, BODY), signed(OLD, BODY + b" "),
        signed(OLD, BODY) | {"X_Gate_Timestamp": "1793700000"},
        signed(OLD, BODY, "soon"), signed(OLD, BODY, -5), signed(OLD, BODY, "\xb2"),
    ],
)  # fmt: skip
def test_any_other_signature_is_none(server, header):
    assert server.post("/v1/decisions", BODY, **header)[0] == 401
    assert not server.ledger.path.exists()


def test_a_timestamp_is_signed_with_it_and_good_for_five_minutes(server):
    now = int(server.clock.now)
    for late, status in ((0, 200), (-299, 200), (299, 200), (301, 401), (-301, 401)):
        header = signed("s" * 40, OUTCOME, now + late)
        assert server.post("/v1/outcomes", OUTCOME, **header)[0] == status
    assert server.post("/v1/outcomes", OUTCOME, **signed("s" * 40, OUTCOME))[0] == 401
    moved = signed("s" * 40, OUTCOME, now) | {"X_Gate_Timestamp": str(now + 1)}
    assert server.post("/v1/outcomes", OUTCOME, **moved)[0] == 401


def test_what_is_read_needs_a_token(server):
    header = {key.replace("_", "-"): one for key, one in signed(OLD, b"").items()}
    assert server.client.get("/v1/services", headers=header).status_code == 401


def test_a_form_is_signed_as_it_came(server):
    body = b"query=vector(1)"
    header = {key.replace("_", "-"): one for key, one in signed(OLD, body).items()}
    form = "application/x-www-form-urlencoded"
    told = server.client.post("/api/v1/query", data=body, content_type=form, headers=header)
    assert told.get_json()["data"]["result"][0]["value"][1] == "1"


def test_a_new_secret_is_known_by_its_line(tmp_path, capfd):
    flags = ["--service", "*", "--verb", "ask", "--hmac", "--format", "json"]
    assert run(["token", "new", "hook", *flags]) == 0
    told = json.loads(capfd.readouterr().out)
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens:\n{told['line']}\n")
    signature = hmac.new(told["secret"].encode(), b"x", hashlib.sha256).hexdigest()
    found = load(file).signer(b"x", Signature(f"sha256={signature}", None), 0.0)
    assert found == Caller("hook", ("*",), frozenset({Verb.ASK}))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("secrets: [hunter2]", "should be one or two texts of 32 letters or more"),
        (f"secrets: {'hunter2' * 9}", "should be one or two texts"),
        (f"secrets: [{'1' * 60}]", "should be one or two texts"),
        ("secrets: []", "should be one or two texts"),
        (f"sha256: gate_{'hunter2' * 7}", "should be a digest of 64 letters"),
        ("vouches: true", "how is 'a' known?"),
        (f"secrets: [{'hunter2' * 9}], sha256: '{'0' * 64}'", "how is 'a' known?"),
        (f"sha256: '{'0' * 64}', timestamped: true", "only signed bodies have a timestamp"),
        ("github: {repository: acme}", "should be OWNER/NAME"),
        ('github: {repository: "*/shop"}', "only the name may be a pattern"),
        ("github: {repository: acme/shop, branch: main}", "unknown key 'branch'"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_without_the_secret(tmp_path, line, complaint):
    file = tmp_path / "tokens.yaml"
    file.write_text(f'tokens:\n  - {{name: a, services: ["*"], verbs: [ask], {line}}}\n')
    with pytest.raises(UsageError) as caught:
        load(file)
    assert complaint in str(caught.value)
    assert "tokens.yaml:2:" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "1111" not in str(caught.value)


def test_a_token_where_a_line_belongs_is_not_quoted(tmp_path):
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens: [gate_{'x' * 43}]\n")
    with pytest.raises(UsageError, match=r"should be a mapping of keys to values, not '\*\*\*'"):
        load(file)


def test_signed_bodies_may_not_override(tmp_path):
    file = tmp_path / "tokens.yaml"
    line = f'  - {{name: a, secrets: [{OLD!r}], services: ["*"], verbs: [ask, override]}}'
    file.write_text(f"tokens:\n{line}\n")
    with pytest.raises(UsageError, match="may ask and tell an outcome, no more"):
        load(file)
