"""The action waits beside a real rollout: versions under load, a real Prometheus, a real gate."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.action.judging import ACTION, installed
from tests.http.test_serve import started
from tests.parts.prometheus import Target, prometheus
from tests.parts.services import service_file
from tests.parts.shop import load, shop
from tests.parts.workflow import run

pytestmark = pytest.mark.slow

SECONDS = 40
SHOPS = {"v1": {}, "v2-fine": {}, "v2-errors": {"errors": 0.15}}
WAITING = {"baseline": "v1", "wait": "90s", "poll-interval": "3s", "timeout": "10s"}


def test_a_step_waits_until_the_rollout_has_told_in_the_job_and_at_a_server(tmp_path):
    with ExitStack() as stack:
        shops = {
            version: stack.enter_context(shop(version, latency=0.002, **how))
            for version, how in SHOPS.items()
        }
        targets = [
            Target(one.address, {"version": version, "pod": f"{version}-0"})
            for version, one in shops.items()
        ]
        url = stack.enter_context(prometheus(targets=targets))
        file = service_file(
            tmp_path, url, step="5s", lag="1s", absolute=0.02, slower=0.01, policy="./quick.yaml"
        )
        server = stack.enter_context(started(tmp_path, file))

        def step(name, **given):
            folder = tmp_path / name
            folder.mkdir()
            installed(folder)
            return run(ACTION, folder, {**WAITING, **given}, python=Path(sys.executable))

        with ThreadPoolExecutor(len(shops) + 2) as pool:
            for one in shops.values():
                pool.submit(load, one.url, count=100_000, seconds=SECONDS, at_once=3)
            bad = pool.submit(step, "local", canary="v2-errors", **{"service-file": str(file)})
            good = pool.submit(
                step, "asked", canary="v2-fine", service="shop", **{"server-url": server.url}
            )
        assert (bad.result().code, bad.result().outputs["outcome"]) == (20, "rollback")
        done = good.result()
    assert (done.code, done.outputs["outcome"]) == (0, "promote"), done.log
    assert "asking again" in done.log
    assert done.seconds > 5
