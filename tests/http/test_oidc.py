"""Jobs of GitHub Actions as callers: really signed tokens, really verified."""

from __future__ import annotations

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from gate.errors import UsageError
from gate.surfaces.http.tokens import load
from tests.http.parts import ask, running
from tests.parts.broken import Reply, answering
from tests.parts.ports import free_port

FILE = """\
github:
  issuer: {issuer}
  workflows:
    - name: deploys of checkout
      repository: acme/checkout
      environment: production
      ref: refs/heads/*
      workflow: acme/workflows/.github/workflows/gate.yml@*
      services: [checkout]
      verbs: [ask]
"""
CLAIMS = {
    "aud": "release-gate", "repository": "acme/checkout", "environment": "production",
    "ref": "refs/heads/main",
    "job_workflow_ref": "acme/workflows/.github/workflows/gate.yml@refs/tags/v1",
}  # fmt: skip
KEY, OTHER = (rsa.generate_private_key(public_exponent=65_537, key_size=2048) for _ in range(2))


class Issuer:
    """Signs as GitHub does; `keys` are those it publishes."""

    def __init__(self):
        self.keys, self.url = {"k1": KEY}, ""

    def __call__(self, asked):
        keys = [
            {
                **json.loads(RSAAlgorithm.to_jwk(key.public_key())),
                "kid": name,
                "use": "sig",
                "alg": "RS256",
            }
            for name, key in self.keys.items()
        ]
        return Reply(200, json.dumps({"keys": keys}).encode())

    def token(self, key=KEY, kid="k1", algorithm="RS256", **claims):
        now = int(time.time())
        usual = {"iss": self.url, "iat": now, "nbf": now, "exp": now + 300, **CLAIMS}
        told = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(told, key, algorithm=algorithm, headers={"kid": kid})


@pytest.fixture
def issuer():
    issuer = Issuer()
    with answering(issuer) as server:
        issuer.url, issuer.asked = server.url, server.asked
        yield issuer


@pytest.fixture
def server(tmp_path, issuer):
    file = tmp_path / "tokens.yaml"
    file.write_text(FILE.format(issuer=issuer.url))
    return running(tmp_path, tokens=load(file))


def status(server, token, body=None):
    headers = {"Authorization": f"Bearer {token}"}
    return server.post("/v1/decisions", body or ask(), **headers)[0]


def test_a_job_of_the_workflow_may_ask_about_its_services_and_do_no_more(server, issuer):
    token = issuer.token()
    assert status(server, token) == 200
    told = {"service": "checkout", "version": "v1", "result": "completed"}
    assert server.post("/v1/outcomes", told, Authorization=f"Bearer {token}")[0] == 403
    assert status(server, token, ask() | {"service": "cart"}) == 403
    assert len(issuer.asked) == 1  # the keys are kept


@pytest.mark.parametrize(
    "claims",
    [
        {"repository": "mallory/checkout"}, {"repository": "acme/checkout-fork"},
        {"repository": None}, {"environment": "staging"}, {"environment": None},
        {"environment": ["production"]}, {"ref": "refs/pull/7/merge"},
        {"job_workflow_ref": "mallory/workflows/.github/workflows/gate.yml@refs/heads/main"},
        {"aud": "another"}, {"aud": None}, {"iss": "https://token.example"}, {"iss": None},
        {"exp": 1_700_000_000}, {"exp": None}, {"nbf": 4_000_000_000},
    ],
)  # fmt: skip
def test_any_other_job_is_nobody(server, issuer, claims):
    assert status(server, issuer.token(**claims)) == 401


def test_what_github_did_not_sign_is_nobody(server, issuer):
    assert status(server, issuer.token(key=OTHER)) == 401
    assert status(server, issuer.token(key="", algorithm="none")) == 401
    assert status(server, issuer.token(key="x" * 32, algorithm="HS256")) == 401
    assert status(server, "a.b.c") == 401
    header, body, signature = issuer.token().split(".")
    assert status(server, f"{header}.{body}x.{signature}") == 401


def test_a_new_key_is_looked_for_and_strange_ones_not_again_and_again(server, issuer, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(server.its.tokens._signed, "_clock", lambda: now[0])
    assert status(server, issuer.token()) == 200
    issuer.keys = {"k2": OTHER}
    for _ in range(3):
        assert status(server, issuer.token(key=OTHER, kid="k2")) == 401
    assert len(issuer.asked) == 1
    now[0] += 61.0
    assert status(server, issuer.token(key=OTHER, kid="k2")) == 200
    assert status(server, issuer.token()) == 401  # what is no longer published is over


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"keys": []}', b"{}"])
def test_without_the_keys_nobody_is_let_in_and_the_answer_is_to_come_back(tmp_path, body):
    with answering(lambda _: Reply(200, body)) as broken:
        file = tmp_path / "tokens.yaml"
        file.write_text(FILE.format(issuer=broken.url))
        server = running(tmp_path, tokens=load(file))
        issuer = Issuer()
        issuer.url = broken.url
        assert status(server, issuer.token()) == 503


def test_an_issuer_out_of_reach_is_503(tmp_path):
    file = tmp_path / "tokens.yaml"
    file.write_text(FILE.format(issuer=f"http://127.0.0.1:{free_port()}"))
    server = running(tmp_path, tokens=load(file))
    code, told = server.post("/v1/decisions", ask(), Authorization=f"Bearer {Issuer().token()}")
    assert code == 503
    assert "cannot be had" in told["error"]["reason"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tokens: []\n", "the file names nobody"),
        ("github: {workflows: []}\n", "github.workflows"),
        (FILE.format(issuer="https://x").replace("acme/checkout", "'*/checkout'"), "repository"),
        (FILE.format(issuer="https://x").replace("environment", "environmnet"),
         "unknown key 'environmnet'; did you mean 'environment'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_refused(tmp_path, text, said):
    file = tmp_path / "tokens.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load(file)
    assert said in str(caught.value)
