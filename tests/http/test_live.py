"""A real Prometheus watches real versions; pollers ask a real server, as Argo does."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.http.test_serve import started
from tests.parts.prometheus import Target, prometheus
from tests.parts.services import service_file
from tests.parts.shop import load, shop

pytestmark = pytest.mark.slow

SECONDS = 40
SHOPS = {"v1": {}, "v2-fine": {}, "v2-errors": {"errors": 0.15}}


def test_pollers_see_a_good_and_a_bad_version_through_and_an_outage(tmp_path):
    with ExitStack() as stack:
        shops = {
            version: stack.enter_context(shop(version, latency=0.002, **how))
            for version, how in SHOPS.items()
        }
        watched = ExitStack()
        targets = [
            Target(one.address, {"version": version, "pod": f"{version}-0"})
            for version, one in shops.items()
        ]
        url = watched.enter_context(prometheus(targets=targets))
        stack.enter_context(watched)
        file = service_file(
            tmp_path, url, step="5s", lag="1s", absolute=0.02, slower=0.01, policy="./quick.yaml"
        )
        server = stack.enter_context(started(tmp_path, file))

        def verdict(canary):
            body = {"service": "shop", "canaryHash": canary, "stableHash": "v1"}
            answer = server.ask(body, "/v1/argo/verdict")
            assert answer.status_code == 200
            return answer.json()

        assert {verdict(canary)["verdict"] for canary in ("v2-fine", "v2-errors")} == {"hold"}
        with ThreadPoolExecutor(len(shops)) as pool:
            list(pool.map(lambda one: load(one.url, count=100_000, seconds=SECONDS, at_once=3),
                          shops.values()))  # fmt: skip
        time.sleep(1.5)
        assert verdict("v2-errors")["verdict"] == "rollback"
        assert verdict("v2-fine")["verdict"] == "promote"
        watched.close()  # Prometheus is gone
        time.sleep(10.5)  # and so is what was known
        blind = verdict("v2-fine")
        assert blind["verdict"] == "hold", blind
        ready = server.session.get(f"{server.url}/readyz", timeout=5)
        assert ready.status_code == 200
        assert ready.json()["sources"]["shop/prom"] != "reachable"
