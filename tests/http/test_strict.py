"""Whatever is asked of whatever route, the answer is JSON that no client takes for a promote."""

from __future__ import annotations

import itertools

import orjson
import pytest

from gate.errors import LedgerError
from gate.surfaces.http.answers import answer
from tests.http.parts import EVERYTHING, ask, past, running, tokens

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "QUERY")
GARBAGE = (
    b"", b"{", b"null", b"[]", b"[1]", b'"rollback"', b"NaN", b'{"service": NaN}', b"\xff\xfe",
    b'{"service": "checkout"}', b'{"service": "nobody", "canary": "c", "canaryHash": "c"}',
    b'{"name": "checkout", "metadata": 3}', b'{"a":' * 5000, b"query=x", b'{"service": "\\ud800"}',
)  # fmt: skip
OPEN = {"/healthz", "/readyz", "/metrics", "/v1/openapi.json"}


def routes(app):
    for rule in app.url_map.iter_rules():
        path = str(rule)
        for parameter in rule.arguments:
            path = path.replace(f"<{parameter}>", "x%2f..%00" if parameter == "id_" else "nobody")
        yield path


def strict(response, method="GET"):
    """Status, type, length and body as CONTRACTS of the clients need them."""
    assert response.status_code == 200 or response.status_code >= 400, response.status
    if response.request.path == "/metrics" and response.status_code == 200:
        return None
    assert response.content_type == "application/json"
    assert "Location" not in response.headers
    if method == "HEAD":
        return None
    assert response.content_length == len(response.data)
    body = orjson.loads(response.data)
    if response.status_code >= 400:
        assert "error" in body or body.get("verdict") == "hold" or body.get("ready") is False, body
    elif isinstance(body, dict):
        assert body.get("verdict") != "promote", body
    return body


def test_every_route_with_every_method_and_garbage(server):
    app = server.client.application
    paths = {*routes(app), "/", "//", "/v1", "/v1/decisions/", "/v1//decisions", "/nowhere"}
    for path, method in itertools.product(sorted(paths), METHODS):
        for garbage in GARBAGE if method == "POST" else (b"",):
            response = server.client.open(
                path, method=method, data=garbage, content_type="application/json"
            )
            strict(response, method)


def test_every_route_but_the_open_ones_asks_for_a_token(tmp_path):
    server = running(tmp_path, tokens=tokens(EVERYTHING))
    for rule in server.client.application.url_map.iter_rules():
        for method in rule.methods - {"HEAD"}:
            response = server.client.open(str(rule), method=method, data=b'{"name": "checkout"}')
            assert (response.status_code == 401) is (str(rule) not in OPEN), rule
            if str(rule) != "/metrics":
                strict(response)


def test_a_number_that_is_none_is_null():
    told = answer({"score": float("nan"), "limit": float("inf")})
    assert told.data == b'{"score":null,"limit":null}\n'


def test_a_body_of_ten_megabytes_is_refused(server):
    big = b'{"service": "' + b"x" * 10_000_000 + b'"}'
    response = server.client.post("/v1/argo/verdict", data=big, content_type="application/json")
    assert response.status_code == 413
    strict(response)
    chunked = server.client.post("/api/v1/query", data={"query": "x" * 2_000_000})
    assert chunked.status_code == 413


def test_another_type_than_json_is_refused_where_it_is_told(server):
    response = server.client.post("/v1/decisions", data=b"a=b", content_type="text/plain")
    assert response.status_code == 415
    strict(response)


def test_a_crash_is_500_without_its_words(server, monkeypatch):
    def crash(*_):
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(server.its.asking, "ask", crash)
    response = server.client.post(
        "/v1/argo/verdict", json={"service": "checkout", "canaryHash": "c"}
    )
    assert response.status_code == 500
    assert "hunter2" not in str(strict(response))


def test_a_ledger_that_cannot_be_written_is_503_and_no_verdict(tmp_path):
    server = running(tmp_path)
    (tmp_path / "ledger.db").write_text("no ledger")
    status, told = server.post("/v1/decisions", past("v1.9.0"))
    assert status == 503
    assert "verdict" not in told
    status, told = server.post("/v1/decisions", ask("v1.9.0"))
    assert (status, "verdict" in told) == (503, False)
    status, told = server.get("/readyz")
    assert (status, told["ready"]) == (503, False)
    with pytest.raises(LedgerError):
        server.ledger.check()


def test_the_request_id_comes_back(server):
    mine = server.client.get("/healthz", headers={"X-Request-Id": "abc-1"})
    assert mine.headers["X-Request-Id"] == "abc-1"
    odd = server.client.get("/healthz", headers={"X-Request-Id": "a b{}"})
    assert len(odd.headers["X-Request-Id"]) == 32
