"""A token told in every place: it is in no log, no ledger and no answer. And no URL is followed."""

from __future__ import annotations

import json
import signal
import socket

import pytest
import requests

from gate.surfaces.cli.main import run
from tests.http.parts import ask, running
from tests.http.test_serve import started, wait_for_line
from tests.parts.broken import HEALTHY, answering
from tests.parts.services import service_file

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJldmlsIn0.c2lnbmF0dXJl"
HOOK = {"name": "checkout", "phase": "Succeeded", "checksum": "1"}


def new(capfd, name, *flags):
    verbs = ["--verb", "ask", "--verb", "outcome"]
    assert run(["token", "new", name, "--service", "*", *verbs, *flags, "--format", "json"]) == 0
    return json.loads(capfd.readouterr().out)


HEADERS = (
    "Authorization", "X-Request-Id", "Idempotency-Key", "Cookie", "User-Agent", "X-Gate-Timeout",
    "X-Gate-Signature-256", "X-Gate-Timestamp", "Referer",
)  # fmt: skip
PATHS = (
    "/", "/v1/decisions/", "/canary/", "/v1/decisions?token=", "/v1/decisions?limit=1&x=",
    "/v1/decisions?service=", "/v1/overrides?service=", "/v1/decisions?after=",
    "/v1/decisions?since=", "/canaryConfig?application=",
    '/api/v1/query?query=gate_verdict{service="checkout",baseline="b",canary="',
)  # fmt: skip
OUTCOME = {"service": "checkout", "version": "v1", "result": "completed"}
ENDED = {"event": "aborted", "name": "checkout", "canaryHash": "c"}


def places(secret):
    """Method, path, headers and body of requests that hold the secret where none belongs."""
    for header in HEADERS:
        yield "POST", "/v1/decisions", {header: secret}, ask()
    yield "POST", "/v1/decisions", {"X-Gate-Signature-256": f"sha256={secret}"}, ask()
    for path in PATHS:
        yield "GET", path + secret + ('"}' if "{" in path else ""), {}, None
    for field in ("service", "canary", "baseline", "namespace", "step", "since", "intent", secret):
        yield "POST", "/v1/decisions", {}, ask() | {field: secret}
    yield "POST", "/v1/decisions", {}, ask(variables={"token": secret})
    yield "POST", "/v1/argo/verdict", {}, {"service": "checkout", "canaryHash": secret}
    for field in ("version", "note", "namespace", "result", "base"):
        yield "POST", "/v1/outcomes", {}, OUTCOME | {field: secret}
    yield "POST", "/v1/argo/outcome", {}, ENDED | {"message": f"http://gate:{secret}@gate"}
    for word in ("token", "Token", "canary", "eventMessage"):
        for hook in ("rollout", "post-rollout", "event"):
            yield "POST", f"/v1/flagger/{hook}", {}, HOOK | {"metadata": {word: secret}}
    yield "POST", "/v1/overrides", {}, {"service": "checkout", "version": "v1", "reason": secret}
    yield "POST", f"/v1/overrides/{secret[:16]}/revocation", {}, {"by": secret}


def told_everywhere(url, secret, token):
    """The answers, also to whoever sends a good token beside it."""
    for method, path, headers, body in places(secret):
        for known in ({"Authorization": f"Bearer {token}"}, {}):
            sent = {**known, **headers}
            answer = requests.request(method, url + path, headers=sent, json=body, timeout=20)
            yield answer.status_code, f"{answer.headers} {answer.text}"
    for user, password in ((secret, "x"), ("x", secret)):
        answer = requests.get(f"{url}/v1/services", auth=(user, password), timeout=20)
        yield answer.status_code, f"{answer.headers} {answer.text}"
    yield 400, garbage(url, f"{secret}\r\n\r\n")
    yield 400, garbage(url, f"GET /{secret}\xff HTTP/1.1\r\n\r\n")


@pytest.mark.slow
def test_no_secret_is_in_a_log_a_ledger_or_an_answer(tmp_path, capfd):
    good, other = new(capfd, "argo"), new(capfd, "other")
    hook = new(capfd, "hook", "--hmac")
    file = tmp_path / "tokens.yaml"
    file.write_text(f"tokens:\n{good['line']}\n{hook['line']}\n")
    secrets = [good["token"], other["token"], hook["secret"], JWT]
    with started(tmp_path, flags=["--tokens", str(file)]) as server:
        answers = [
            answer
            for secret in secrets
            for answer in told_everywhere(server.url, secret, good["token"])
        ]
        file.write_text(f"tokens:\n  - {good['token']}\n{hook['line']}\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for_line(server.log, "files kept")
        log = server.log.read_text()
        server.stop()
    stored = b"".join(one.read_bytes() for one in tmp_path.glob("ledger.db*"))
    assert {status for status, _ in answers} >= {200, 400, 401, 404}
    assert log.count('"event":"request"') > len(answers) // 2
    assert b"checkout" in stored
    for secret in secrets:
        assert secret not in log
        assert secret.encode() not in stored
        assert [answer for _, answer in answers if secret in answer] == []


def garbage(url, text):
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(text.encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65_536), b"")).decode("latin-1")


def test_no_url_of_a_request_is_fetched(tmp_path):
    with answering(HEALTHY.reply) as source, answering(HEALTHY.reply) as evil:
        server = running(tmp_path, service_file(tmp_path, source.url))
        url = f"{evil.url}/x"
        words = {"canary": url, "baseline": f"{url}/y", "namespace": url, "step": url}
        since = {"since": "2026-11-03T09:00:00Z", "variables": {"url": url, "pr": url}}
        body = {"service": "shop", **words, **since}
        assert server.post("/v1/decisions", body, Host=evil.url[7:], Referer=url)[0] == 200
        hook = {"name": "shop", "checksum": url, "metadata": {"canary": url, "source": url}}
        assert server.post("/v1/flagger/rollout", hook)[0] == 200
        hash_ = {"canaryHash": url, "stableHash": url, "image": url}
        assert server.post("/v1/argo/verdict", {"service": "shop", **hash_})[0] == 200
        told = {"event": "aborted", "name": "shop", "canaryHash": url, "message": url}
        assert server.post("/v1/argo/outcome", told)[0] == 200
        scopes = {"a": {"controlScope": {"scope": url}, "experimentScope": {"scope": url}}}
        start = {"scopes": scopes, "thresholds": {"pass": 90, "marginal": 50}}
        assert server.post("/canary/shop?metricsAccountName=" + url, start)[0] == 200
        assert source.asked
        assert evil.asked == []
