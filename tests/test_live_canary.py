"""A real Prometheus scrapes real versions of a real service under real load."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from gate.surfaces.cli.main import run
from tests.parts.prometheus import Target, prometheus
from tests.parts.services import service_file
from tests.parts.shop import load, shop

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("live canary")]  # one recording for all

SECONDS = 40
SHOPS = {
    "v1": {"latency": 0.002},
    "v2-fine": {"latency": 0.002},
    "v2-errors": {"latency": 0.002, "errors": 0.15},
    "v2-slow": {"latency": 0.08},
}


@pytest.fixture(scope="module")
def rollout() -> Iterator[tuple[str, float]]:
    """The URL of a Prometheus that watched all versions under load, and when that ended."""
    with ExitStack() as stack:
        shops = {
            version: stack.enter_context(shop(version, **how)) for version, how in SHOPS.items()
        }
        targets = [
            Target(one.address, {"version": version, "pod": f"{version}-0"})
            for version, one in shops.items()
        ]
        url = stack.enter_context(prometheus(targets=targets))
        with ThreadPoolExecutor(len(shops)) as pool:
            for codes in pool.map(
                lambda one: load(one.url, count=100_000, seconds=SECONDS, at_once=3),
                shops.values(),
            ):
                assert codes[200] > 500
        time.sleep(1.5)  # one more scrape sees the last of it
        yield url, time.time()


def check(rollout, canary, tmp_path, capfd, since=SECONDS):
    url, ended = rollout
    file = service_file(
        tmp_path, url, step="5s", lag="1s", absolute=0.02, slower=0.01, policy="./quick.yaml"
    )
    code = run(
        ["check", "-f", str(file), "--canary", canary, "--baseline", "v1",
         "--since", f"{since}s", "--as-of", f"{ended:.3f}", "--format", "json",
         "--ledger", str(tmp_path / "ledger.db")]
    )  # fmt: skip
    report = json.loads(capfd.readouterr().out)
    return code, {one["label"]: one for one in report["analysis"]["comparisons"]}


def test_a_fine_version_is_promoted(rollout, tmp_path, capfd):
    code, found = check(rollout, "v2-fine", tmp_path, capfd)
    assert code == 0, found
    assert {one["finding"] for one in found.values()} == {"not_worse"}


def test_a_version_with_errors_is_rolled_back_for_them(rollout, tmp_path, capfd):
    code, found = check(rollout, "v2-errors", tmp_path, capfd)
    assert code == 20, found
    assert found["errors"]["finding"] == "worse"
    assert found["errors"]["canary"] == pytest.approx(0.15, abs=0.02)
    assert found["latency p50"]["finding"] != "worse"


def test_a_slow_version_is_rolled_back_for_it(rollout, tmp_path, capfd):
    code, found = check(rollout, "v2-slow", tmp_path, capfd)
    assert code == 20, found
    assert found["latency p50"]["finding"] == "worse", found
    assert found["latency p50"]["canary"] > 0.05
    assert found["errors"]["finding"] != "worse"


def test_a_version_that_is_not_there_holds(rollout, tmp_path, capfd):
    code, found = check(rollout, "v3-never-deployed", tmp_path, capfd)
    assert code == 10
    assert "no events" in found["errors"]["why"]


def test_a_version_that_dies_is_not_promoted(tmp_path, capfd):
    """It was fine while it lived: `increase` alone would call it so for a whole step more."""
    with ExitStack() as stack:
        baseline = stack.enter_context(shop("v1", latency=0.002))
        canary_life = ExitStack()
        canary = canary_life.enter_context(shop("v2", latency=0.002))
        targets = [
            Target(one.address, {"version": one.version, "pod": f"{one.version}-0"})
            for one in (baseline, canary)
        ]
        url = stack.enter_context(prometheus(targets=targets))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda one: load(one.url, count=100_000, seconds=25), (baseline, canary)))
        alive = check((url, time.time()), "v2", tmp_path, capfd, since=25)
        canary_life.close()
        time.sleep(2.5)
        code, found = check((url, time.time()), "v2", tmp_path, capfd, since=25)
    assert alive[0] == 0, alive
    assert code == 10
    assert all("down" in one["why"] for one in found.values()), found
