"""The server as a process: killed at the worst moments, and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from gate.ledger.sqlite import SqliteLedger
from tests.parts.broken import HEALTHY, Asked, Reply, answering
from tests.parts.hub import sha
from tests.parts.ports import free_port, wait_for
from tests.parts.services import service_file
from tests.protection.apphub import LOST, AppHub, Deployed
from tests.protection.parts import ENVIRON, RUN, app_file, delivery, payload

pytestmark = pytest.mark.slow

QUICKLY = "    since: 1h\n    every: 1s\n"


class Prometheus:
    """Healthy, or down."""

    down = False

    def __call__(self, asked: Asked) -> Reply:
        return Reply(503) if self.down else HEALTHY.reply(asked)


@pytest.fixture
def prometheus(tmp_path) -> Iterator[Prometheus]:
    one = Prometheus()
    with answering(one) as server:
        service_file(tmp_path, server.url, policy="./quick.yaml")
        yield one


@pytest.fixture
def hub(hub: AppHub) -> AppHub:
    hub.deployed = [Deployed(1, sha("stable"), "v1")]
    hub.wait(RUN)
    return hub


@contextmanager
def serving(folder: Path, hub: AppHub, *, gunicorn: bool = False) -> Iterator[tuple[str, Kill]]:
    """Its address, and how to kill it."""
    port, file = free_port(), app_file(folder, hub.url, QUICKLY, "shop")
    named = {"GATE_SERVICES": str(folder / "gate.yaml"), "GATE_GITHUB": str(file)}
    environ = {
        **os.environ, **ENVIRON, **named, "GATE_LEDGER": str(folder / "ledger.db"),
        "GATE_INSECURE": "true", "GATE_URL": "https://gate.example",
    }  # fmt: skip
    command = ["-m", "gate", "serve", "--listen", f"127.0.0.1:{port}"]
    if gunicorn:
        command = [
            "-m",
            "gunicorn",
            "-c",
            "python:gate.surfaces.http.gunicorn",
            "--bind",
            f"127.0.0.1:{port}",
        ]
        command.append("gate.surfaces.http.wsgi:app()")
    process = subprocess.Popen(
        [sys.executable, *command], env=environ, stderr=subprocess.DEVNULL, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{url}/healthz", process)
        yield url, lambda: os.killpg(process.pid, signal.SIGKILL)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


Kill = Callable[[], None]


def deliver(url: str, hub: AppHub, guid: str = "") -> int:
    raw, headers = delivery(payload(hub), guid=guid)
    return requests.post(
        f"{url}/v1/github/webhook", data=raw, headers=headers, timeout=10
    ).status_code


def until(true: Callable[[], object], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def steps(folder: Path) -> list[str]:
    ledger = SqliteLedger(folder / "ledger.db")
    assert ledger.verify().faults == ()
    found = ledger.entries(None, None, kind=None)
    return [one.record.outcome for one in found if one.record.kind == "protection"][::-1]


@pytest.mark.parametrize("gunicorn", [False, True], ids=["gate serve", "gunicorn"])
def test_killed_between_delivery_and_verdict_it_answers_when_it_is_back(
    tmp_path, hub, prometheus, gunicorn
):
    prometheus.down = True
    with serving(tmp_path, hub, gunicorn=gunicorn) as (url, kill):
        assert deliver(url, hub, "guid-1") == 202
        until(lambda: hub.told)
        kill()
    prometheus.down = False
    with serving(tmp_path, hub, gunicorn=gunicorn) as (url, _):
        assert deliver(url, hub, "guid-1") == 200
        until(lambda: hub.answers)
        until(lambda: "posted" in steps(tmp_path))
        assert "gate_protection_waiting 0.0" in requests.get(f"{url}/metrics", timeout=5).text
    assert hub.answers == ["approved"]
    assert "https://gate.example/v1/decisions/" in hub.posted[-1]["comment"]
    assert steps(tmp_path) == ["requested", "told", "approved", "posted"]


def test_killed_while_it_answers_it_does_not_answer_twice(tmp_path, hub, prometheus):
    hub.faults = [LOST]
    with serving(tmp_path, hub) as (url, kill):
        hub.then = kill
        assert deliver(url, hub) == 202
        until(lambda: hub.answers)
    hub.then = lambda: None
    with serving(tmp_path, hub):
        until(lambda: "posted" in steps(tmp_path))
    assert hub.answers == ["approved"]
    assert steps(tmp_path) == ["requested", "approved", "posted"]
    assert any(one.endswith("/approvals") for one in hub.asked)


def test_killed_while_github_is_down_the_answer_is_given_when_both_are_back(
    tmp_path, hub, prometheus
):
    hub.faults = [500] * 100
    with serving(tmp_path, hub) as (url, kill):
        assert deliver(url, hub) == 202
        until(lambda: len(hub.faults) < 100)
        hub.down = True
        kill()
    hub.faults.clear()
    with serving(tmp_path, hub):
        until(lambda: any(one.endswith("/access_tokens") for one in hub.asked[-2:]))
        hub.down = False
        until(lambda: hub.answers)
    assert hub.answers == ["approved"]
