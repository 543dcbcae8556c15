"""Verdicts a second, and how long one takes, over HTTP on this machine: `python -m bench.server`.

The evidence is warm: every client polls a rollout of its own from the recorded example, and within
ten seconds it is told the decision it was told before. `--fresh` asks a new question each time, so
that every answer is gathered, judged and stored. `--live` does so with a real Prometheus (which has
an hour of three pods an arm) in place of the recording.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import orjson

from gate.ledger.sightings import Rollout, first_seen
from gate.ledger.sqlite import SqliteLedger
from tests.parts import versions
from tests.parts.prometheus import prometheus
from tests.parts.services import service_file

EXAMPLE = Path(__file__).parents[1] / "examples" / "recorded"
PORT = 18_099
SERVERS = {
    "gate serve": ["gate", "serve", "--listen", f"127.0.0.1:{PORT}"],
    "gunicorn": ["gunicorn", "-c", "python:gate.surfaces.http.gunicorn", "--bind",
                 f"127.0.0.1:{PORT}", "gate.surfaces.http.wsgi:app()"],
}  # fmt: skip
HOUR = 3_600.0


@dataclass(frozen=True)
class Asked:
    """What the server serves, what it is asked, and whether each ask is a new question."""

    services: Path
    body: dict[str, str]
    fresh: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--live", action="store_true")
    told = parser.parse_args()
    with ExitStack() as stack:
        asked = stack.enter_context(live()) if told.live else recorded(fresh=told.fresh)
        run(asked, told.seconds)


def recorded(*, fresh: bool) -> Asked:
    body = {"service": "checkout", "canaryHash": "v1.9.1", "stableHash": "v1.8.0"}
    return Asked(EXAMPLE, body, fresh)


@contextmanager
def live() -> Iterator[Asked]:
    body = {"service": "shop", "canaryHash": versions.GOOD, "stableHash": versions.BASELINE}
    history = versions.histories(time.time())
    with tempfile.TemporaryDirectory() as folder, prometheus(history=history) as url:
        yield Asked(service_file(Path(folder), url), body, fresh=True)


def run(asked: Asked, seconds: float) -> None:
    for name, command in SERVERS.items():
        with running(command, asked) as (process, started):
            ask(asked, "first")
            print(f"{name}: first verdict {time.monotonic() - started:.2f} s after the start")
            for clients in (1, 16, 64):
                taken = 1000 * np.array(measured(clients, seconds, asked))
                p50, p99 = np.percentile(taken, [50, 99])
                rate = len(taken) / seconds
                print(f"{clients:>4} clients {rate:6.0f}/s  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms")
            print(f"     {memory(process.pid)} MB resident")


@contextmanager
def running(command: list[str], asked: Asked) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """A server that saw the rollout begin an hour ago, and since when it starts."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger.db"
        rollout = Rollout(
            service=asked.body["service"], namespace="", canary=asked.body["canaryHash"]
        )
        first_seen(SqliteLedger(ledger), rollout, time.time() - HOUR)
        environ = {**os.environ, "GATE_LEDGER": str(ledger), "GATE_INSECURE": "true",
                   "GATE_SERVICES": str(asked.services)}  # fmt: skip
        started = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environ, stderr=subprocess.DEVNULL
        )
        try:
            while not answers():
                time.sleep(0.02)
            yield process, started
        finally:
            process.terminate()
            process.wait()


def answers() -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def ask(asked: Asked, step: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {"Content-Type": "application/json", "X-Gate-Timeout": "60s"}
    body = orjson.dumps({**asked.body, "step": step})
    connection.request("POST", "/v1/argo/verdict", body, headers)
    answer = connection.getresponse()
    told = orjson.loads(answer.read())
    if answer.status != 200 or told["id"] is None:
        raise SystemExit(f"no verdict: {answer.status} {told}")
    connection.close()


def measured(clients: int, seconds: float, asked: Asked) -> list[float]:
    """Seconds that each answer took."""
    taken: list[float] = []
    end, numbers = time.monotonic() + seconds, count()

    def poll(client: int) -> None:
        while (begun := time.monotonic()) < end:
            ask(asked, f"{clients}.{client}.{next(numbers)}" if asked.fresh else str(client))
            taken.append(time.monotonic() - begun)

    threads = [threading.Thread(target=poll, args=(k,)) for k in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def memory(pid: int) -> int:
    """Of the process and of its children, in MB."""
    pids = [str(pid), *subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True,
                                      check=False).stdout.split()]  # fmt: skip
    sizes = (Path(f"/proc/{one}/status").read_text() for one in pids)
    return sum(int(re.search(r"VmRSS:\s+(\d+)", one)[1]) for one in sizes) // 1000  # type: ignore[index]


if __name__ == "__main__":
    main()
