"""Workflows of GitHub: their tokens, signed with real keys, verified against a real issuer."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gate.errors import GateError
from gate.surfaces.http.issuer import FRESH, PAUSE, Issuer
from gate.surfaces.http.tokens import BadTokenError
from gate.surfaces.http.tokens_file import load
from tests.http.parts import ask, running
from tests.parts.loopback import Loopback, Quiet, serving

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def as_jwk(key, name):
    return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": name}


@dataclass
class Answers:
    """What the issuer answers, and the paths it was asked for."""

    status: int = 200
    keys: list[dict] = field(default_factory=lambda: [as_jwk(KEY, "one")])
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def issuing() -> Iterator[Answers]:
    answers = Answers()

    class Handler(Quiet):
        def reply(self, _: str) -> None:
            answers.asked.append(self.path)
            self.send(
                answers.status, "application/json", json.dumps({"keys": answers.keys}).encode()
            )

    server = Loopback(Handler)
    with serving(server):
        answers.url = server.url
        yield answers


@pytest.fixture
def issuer():
    with issuing() as answers:
        yield answers


@pytest.fixture
def server(tmp_path, issuer):
    file = tmp_path / "tokens.yaml"
    file.write_text(f"""
oidc: {{issuer: "{issuer.url}", audience: gate-prod}}
tokens:
  - name: deploys
    github: {{repository: "acme/shop*", environment: production, ref: refs/heads/main}}
    services: [checkout]
    verbs: [ask]
  - name: called
    github: {{repository: acme/web, job_workflow_ref: "acme/ci/.github/workflows/*@refs/tags/v*"}}
    services: ["*"]
    verbs: [outcome]
""")
    return running(tmp_path, tokens=load(file))


def claims(issuer, **more):
    now = int(time.time())
    told = {
        "iss": issuer.url, "aud": "gate-prod", "iat": now, "nbf": now - 5, "exp": now + 300,
        "sub": "repo:acme/shop:environment:production", "repository": "acme/shop",
        "environment": "production", "ref": "refs/heads/main",
        "job_workflow_ref": "acme/shop/.github/workflows/deploy.yml@refs/heads/main", **more,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def asked(server, token):
    status, told = server.post("/v1/decisions", ask(), Authorization=f"Bearer {token}")
    return status, told.get("error", {}).get("reason", "")


def signed(told, key=KEY, name="one", algorithm="RS256", **headers):
    return jwt.encode(told, key, algorithm, headers={"kid": name, **headers})


def unsigned(header, told, signature=b""):
    parts = (json.dumps(header).encode(), json.dumps(told).encode(), signature)
    return ".".join(urlsafe_b64encode(one).decode().rstrip("=") for one in parts)


def with_public_key_as_secret(told):
    """As PyJWT itself refuses to make it."""
    start = unsigned({"alg": "HS256", "kid": "one"}, told).rstrip(".")
    mac = hmac.new(PUBLIC, start.encode(), hashlib.sha256).digest()
    return f"{start}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_workflow_may_do_what_its_entry_says(server, issuer):
    token = signed(claims(issuer))
    assert asked(server, token) == (200, "")
    assert asked(server, token) == (200, "")
    assert issuer.asked == ["/.well-known/jwks"]
    outcome = {"service": "checkout", "version": "v1", "result": "completed"}
    bearer = {"Authorization": f"Bearer {token}"}
    assert server.post("/v1/outcomes", outcome, **bearer)[0] == 403
    called = claims(
        issuer, repository="acme/web", environment=None,
        job_workflow_ref="acme/ci/.github/workflows/release.yml@refs/tags/v3",
    )  # fmt: skip
    bearer = {"Authorization": f"Bearer {signed(called)}"}
    assert server.post("/v1/outcomes", outcome, **bearer)[0] == 200
    (told,) = server.ledger.entries("checkout", kind="deployment")
    assert json.loads(told.record.body)["by"] == "called"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"iss": "https://token.actions.githubusercontent.com"}, "it is of another issuer"),
        ({"iss": None}, "a claim is missing"),
        ({"aud": "https://github.com/acme"}, "it is for another audience"),
        ({"aud": None}, "a claim is missing"),
        ({"exp": 1_700_000_000}, "it has expired"),
        ({"exp": int(time.time()) - 60}, "it has expired"),
        ({"exp": None}, "a claim is missing"),
        ({"nbf": int(time.time()) + 600}, "it is not valid yet"),
        ({"repository": "acme/other"}, "no entry is for a workflow of repository 'acme/other'"),
        ({"repository": "evil/shop"}, "no entry is for a workflow of repository 'evil/shop'"),
        ({"repository": None}, "a claim is missing"),
        ({"repository": ["acme/shop"]}, "no entry is for"),
        ({"environment": "staging"}, "environment 'staging'"),
        ({"environment": None}, "no entry is for"),
        ({"ref": "refs/pull/7/merge"}, "ref 'refs/pull/7/merge'"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused_with_the_reason(server, issuer, more, why):
    status, reason = asked(server, signed(claims(issuer, **more)))
    assert status == 401
    assert why in reason


def test_a_token_that_has_just_expired_is_within_what_clocks_may_differ(server, issuer):
    assert asked(server, signed(claims(issuer, exp=int(time.time()) - 10)))[0] == 200


def test_no_algorithm_but_rs256_is_believed(server, issuer):
    for token in (
        unsigned({"alg": "none"}, claims(issuer)),
        unsigned({"alg": "none", "kid": "one"}, claims(issuer)),
        with_public_key_as_secret(claims(issuer)),
        signed(claims(issuer), algorithm="PS256"),
    ):
        assert asked(server, token) == (401, "the token is refused: it is not signed with RS256")


def test_another_key_of_the_same_name_is_not_the_issuers(server, issuer):
    assert asked(server, signed(claims(issuer), OTHER)) == (
        401, "the token is refused: its signature is wrong",
    )  # fmt: skip


def test_nothing_that_a_token_names_is_fetched(server, issuer):
    with issuing() as evil:
        evil.keys = [as_jwk(OTHER, "one")]
        where = f"{evil.url}/jwks"
        told = claims(issuer, iss=evil.url)
        assert asked(server, signed(told, OTHER, jku=where, x5u=where))[0] == 401
        assert evil.asked == []


@pytest.mark.parametrize(
    "garbage", ["a.b.c", "..", "é.é.é", unsigned([1], {}), unsigned({"alg": "RS256", "kid": 3}, {}),
                f"{urlsafe_b64encode(b'[' * 9_000).decode()}.e.e"],
)  # fmt: skip
def test_garbage_is_refused(server, garbage):
    assert asked(server, garbage.encode().decode("latin-1"))[0] == 401


def test_without_the_issuers_keys_nothing_can_be_told(server, issuer):
    token = signed(claims(issuer))
    issuer.status = 500
    status, reason = asked(server, token)
    assert status == 503
    assert "cannot be had: it answered 500" in reason
    asked_first = len(issuer.asked)
    assert asked(server, token)[0] == 503
    assert len(issuer.asked) == asked_first  # not at once again
    assert server.get("/v1/services", Authorization="Bearer gate_x")[0] == 401


@pytest.fixture
def clocked(issuer):
    now = [1_000.0]
    return Issuer(issuer.url, lambda: now[0]), now


def test_a_new_key_is_found_and_strange_names_ask_the_issuer_only_now_and_then(issuer, clocked):
    keys, now = clocked
    assert keys.key("one") is not None
    for _ in range(20):
        assert keys.key("two") is None
    assert len(issuer.asked) == 1
    issuer.keys.append(as_jwk(OTHER, "two"))
    now[0] += PAUSE
    assert keys.key("two") is not None
    assert len(issuer.asked) == 2


def test_a_key_that_was_withdrawn_is_soon_forgotten_also_where_the_issuer_is_gone(issuer, clocked):
    keys, now = clocked
    assert keys.key("one") is not None
    issuer.status = 503
    now[0] += FRESH - 1
    assert keys.key("one") is not None
    now[0] += 1
    with pytest.raises(GateError, match="cannot be had"):
        keys.key("one")
    issuer.status, issuer.keys = 200, [as_jwk(OTHER, "two")]
    now[0] += PAUSE
    assert keys.key("one") is None


@pytest.mark.parametrize(
    "keys",
    [
        [],
        None,
        [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}],
        [3],
        [{"kty": "RSA", "kid": "one"}],
    ],
)
def test_what_is_no_set_of_rsa_keys_is_none(issuer, keys):
    issuer.keys = keys
    with pytest.raises(GateError, match="cannot be had"):
        Issuer(issuer.url).key("one")


def test_the_issuer_is_not_followed_elsewhere(issuer):
    issuer.status = 302
    with pytest.raises(GateError, match="it answered 302"):
        Issuer(issuer.url).key("one")


def test_a_token_of_ours_is_not_taken_for_one_of_a_workflow(server):
    assert server.its.tokens.caller("gate_" + "x" * 43) is None
    with pytest.raises(BadTokenError):
        server.its.tokens.caller("a.b.c")
