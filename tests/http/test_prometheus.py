"""A verdict as a Prometheus sample, for clients that can ask nothing else."""

from __future__ import annotations

import pytest

from tests.http.parts import BAD, BASELINE, GOOD, HOUR, STARTED


def query(release):
    return f'gate_verdict{{service="checkout", canary="{release}",baseline="{BASELINE}"}}'


def asked(server, text, method="POST"):
    given = {"data" if method == "POST" else "query_string": {"query": text}}
    response = server.client.open("/api/v1/query", method=method, **given)
    return response.status_code, response.get_json()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("release", "seconds", "value"), [(GOOD, HOUR, "1"), (BAD, 60.0, "0"), (BAD, HOUR, "-1")]
)
def test_the_sample_says_the_verdict(server, method, release, seconds, value):
    server.clock.now = STARTED[release]
    asked(server, query(release), method)
    server.clock.now += seconds
    status, told = asked(server, query(release), method)
    assert (status, told["status"], told["data"]["resultType"]) == (200, "success", "vector")
    (sample,) = told["data"]["result"]
    assert sample["value"] == [server.clock.now, value]


def test_flagger_may_ask_whether_anybody_is_there(server):
    status, told = asked(server, "vector(1)", "GET")
    assert (status, told["data"]["result"][0]["value"][1]) == (200, "1")


@pytest.mark.parametrize(
    "text",
    ["", "up", "gate_verdict", "gate_verdict{}", 'gate_verdict{service="checkout"}',
     'gate_verdict{service="checkout",canary=~"v.*"}', 'gate_verdict{service="a",service="b"}',
     'gate_verdict{service="checkout",canary="c",colour="red"}', f"{query(BAD)} == bool 0"],
)  # fmt: skip
def test_another_query_is_bad_data(server, text):
    status, told = asked(server, text)
    assert (status, told["status"], told["errorType"]) == (400, "error", "bad_data")


def test_what_cannot_be_decided_is_no_sample(server):
    status, told = asked(server, 'gate_verdict{service="nobody",canary="c",baseline="b"}')
    assert (status, "data" in told) == (404, False)
