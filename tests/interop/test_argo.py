"""Argo Rollouts' own code asks a running gate: whatever is broken, it never arrives at Successful.

Release 1.9.2, whose web provider counts every 2xx that is not JSON as a success (1.10 does not).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from tests.http.test_serve import Started
from tests.interop.conftest import story
from tests.interop.programs import HERE, WITHIN
from tests.interop.seen import TOKEN, serving
from tests.parts.broken import BROKEN
from tests.parts.ports import free_port
from tests.parts.services import service_file
from tests.parts.versions import BAD, BASELINE, GOOD, NAN, NEW, NONE

pytestmark = [pytest.mark.slow, pytest.mark.interop]

TEMPLATE = HERE / "argo" / "template.yaml"
PROVIDERS = ("web", "kayenta", "prometheus")
# Neither is a success; to the first Argo pauses the rollout, at the second it aborts it.
HELD, ABORTED = {"Inconclusive"}, {"Error"}
WAITING = {"Inconclusive", "Running"}


@dataclass(frozen=True)
class Ask:
    """Where and about what Argo asks."""

    url: str
    canary: str = GOOD
    service: str = "shop"
    token: str = TOKEN

    @property
    def arguments(self) -> Iterator[str]:
        told = {
            "address": self.url,
            "with-token": self.url.replace("://", f"://gate:{self.token}@"),
            "token": self.token,
            "service": self.service,
            "stable-hash": BASELINE,
            "canary-hash": self.canary,
        }
        for name, value in told.items():
            yield from ("-arg", f"{name}={value}")


@pytest.fixture
def argo(argo_program, line, request):
    """Where each provider arrives, noted in the table."""

    def arrives(ask: Ask, named: str | None = None) -> Mapping[str, str]:
        options = ("-template", str(TEMPLATE), "-within", f"{WITHIN}s")
        runs = {one["metric"]: one for one in argo_program.told(*options, *ask.arguments)}
        assert set(runs) == set(PROVIDERS)
        phases = {name: runs[name]["phase"] for name in PROVIDERS}
        told = "".join(f"{name} {phases[name]:14}" for name in PROVIDERS)
        line(f"Argo     {named or story(request):75}{told}")
        return phases

    return arrives


def all_are(phase: str) -> Mapping[str, str]:
    return dict.fromkeys(PROVIDERS, phase)


def test_a_good_version_is_successful(argo, seen):
    assert argo(Ask(seen.server.url)) == all_are("Successful")


def test_a_bad_version_fails(argo, seen):
    assert argo(Ask(seen.server.url, BAD)) == all_are("Failed")


@pytest.mark.parametrize("canary", [NEW, NAN, NONE], ids=["just begun", "NaN", "no data"])
def test_a_version_of_which_too_little_is_seen_is_inconclusive(argo, seen, canary):
    assert argo(Ask(seen.server.url, canary)) == all_are("Inconclusive")


@pytest.mark.parametrize(
    "how", [{"token": "gate_wrong"}, {"token": ""}, {"service": "shap"}, {"canary": "v2 good"}],
    ids=["a wrong token", "no token", "an unknown service", "no version's name"],
)  # fmt: skip
def test_a_wrong_question_is_an_error(argo, seen, how):
    assert argo(replace(Ask(seen.server.url), **how)) == all_are("Error")


def test_a_gate_that_is_down_is_an_error(argo):
    assert argo(Ask(f"http://127.0.0.1:{free_port()}")) == all_are("Error")


def test_a_gate_that_answers_nothing_is_an_error(argo, seen, tmp_path):
    with serving(tmp_path, seen.prometheus) as server:
        server.process.send_signal(signal.SIGSTOP)
        assert argo(Ask(server.url)) == all_are("Error")
        server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("name", ["down", "html", "401", "503"])
def test_a_broken_prometheus_is_inconclusive(argo, tmp_path, name):
    with BROKEN[name].serve() as url, serving(tmp_path, url) as server:
        assert argo(Ask(server.url)) == all_are("Inconclusive")


def test_a_silent_prometheus_is_no_success(argo, tmp_path):
    """The verdict is not there in time: no sample for Prometheus, a hold for the others."""
    with BROKEN["slow"].serve() as url, serving(tmp_path, url, "--timeout", "5s") as server:
        patient(server, tmp_path)
        phases = argo(Ask(server.url))
    assert phases["web"] == "Inconclusive"
    assert phases["kayenta"] in WAITING
    assert phases["prometheus"] in HELD | ABORTED


def patient(server: Started, folder: Path) -> None:
    """Waits for a source longer than Argo waits for the gate."""
    file = folder / "gate.yaml"
    file.write_text(file.read_text().replace("timeout: 1s", "timeout: 30s"))
    reloaded(server, "files loaded")


def reloaded(server: Started, word: str) -> None:
    server.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 20
    while word not in server.log.read_text():
        assert time.monotonic() < until, server.log.read_text()
        time.sleep(0.05)


def test_a_gate_with_too_much_to_do_is_an_error(argo, tmp_path):
    with BROKEN["slow"].serve() as url, serving(tmp_path, url) as server, flooded(server, tmp_path):
        assert argo(Ask(server.url)) == all_are("Error")


@contextmanager
def flooded(server: Started, folder: Path) -> Iterator[None]:
    """As many questions under way as there is room for; none is answered for 20 seconds."""
    patient(server, folder)

    def ask(step: int) -> int:
        body = {"service": "shop", "namespace": "shop", "canaryHash": GOOD, "stableHash": BASELINE}
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Gate-Timeout": "1ms"}
        body["step"] = str(step)
        where = f"{server.url}/v1/argo/verdict"
        return requests.post(where, json=body, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(8) as pool:
        assert 503 in set(pool.map(ask, range(150)))
    yield


def test_a_gate_whose_policy_is_broken_does_not_start(argo, tmp_path):
    file = service_file(tmp_path, "http://127.0.0.1:9", policy="./quick.yaml")
    broken(tmp_path)
    listen = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "gate", "serve", "--services", str(file), "--listen", listen]
    environ = {**os.environ, "GATE_LEDGER": str(tmp_path / "ledger.db")}
    refused = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert (refused.returncode, "did you mean 'analysis.safe'" in refused.stderr) == (2, True)
    assert argo(Ask(f"http://{listen}")) == all_are("Error")


def broken(folder: Path) -> None:
    policy = folder / "quick.yaml"
    policy.write_text(policy.read_text().replace("when: analysis.safe", "when: analysis.saef"))


def test_a_policy_that_breaks_while_the_gate_runs_leaves_the_one_before(argo, seen, tmp_path):
    with serving(tmp_path, seen.prometheus, policy="./quick.yaml") as server:
        broken(tmp_path)
        reloaded(server, "files kept")
        assert argo(Ask(server.url), "the old policy stays: a good version") == (
            all_are("Successful")
        )
        assert argo(Ask(server.url, BAD), "the old policy stays: a bad version") == (
            all_are("Failed")
        )
