"""Whatever a source does, no client of the server reads a promote or what it takes for one."""

from __future__ import annotations

import pytest

from gate.verdict import Outcome
from tests.http.parts import at, running
from tests.http.test_strict import strict
from tests.parts.broken import BROKEN, HEALTHY
from tests.parts.services import service_file

pytestmark = pytest.mark.slow

STARTED, ENDED = at("2023-11-14T22:44:00Z"), at("2023-11-14T23:14:00Z")
LABELS = 'service="shop",canary="v2",baseline="v1"'


def asked(tmp_path, url):
    """Argo's answer half an hour after its first, and a Prometheus sample and Flagger's beside."""
    server = running(tmp_path, service_file(tmp_path, url))
    body = {"service": "shop", "canaryHash": "v2", "stableHash": "v1"}
    waits = {"X-Gate-Timeout": "25s"}
    server.clock.now = STARTED
    server.client.post("/v1/argo/verdict", json=body, headers=waits)
    server.clock.now = ENDED
    argo = server.client.post("/v1/argo/verdict", json=body, headers=waits)
    sample = server.client.post(
        "/api/v1/query", data={"query": f"gate_verdict{{{LABELS}}}"}, headers=waits
    )
    hook = {"name": "shop", "metadata": {"canary": "v2", "baseline": "v1"}}
    flagger = server.client.post("/v1/flagger/confirm-promotion", json=hook, headers=waits)
    return argo, sample, flagger


def test_a_healthy_source_does_promote(tmp_path):
    with HEALTHY.serve() as url:
        argo, sample, _ = asked(tmp_path, url)
    assert argo.get_json()["verdict"] == "promote"
    assert sample.get_json()["data"]["result"][0]["value"][1] == "1"


@pytest.mark.parametrize("name", [name for name, one in BROKEN.items() if not one.promotes])
def test_a_source_that(tmp_path, name):
    with BROKEN[name].serve() as url:
        argo, sample, flagger = asked(tmp_path, url)
    assert argo.status_code == 200
    assert strict(argo)["verdict"] in (Outcome.HOLD, Outcome.ROLLBACK)
    values = [one["value"][1] for one in strict(sample)["data"]["result"]]
    assert values in (["0"], ["-1"])
    assert flagger.status_code == 409
