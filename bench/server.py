"""Verdicts a second, and how long one takes, over HTTP on this machine: `python -m bench.server`.

The evidence is warm: every client polls a rollout of its own from the recorded example, and within
ten seconds it is told the decision it was told before. `--fresh` asks a new question each time, so
that every answer is gathered, judged and stored.
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
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import numpy as np
import orjson

EXAMPLE = Path(__file__).parents[1] / "examples" / "recorded"
PORT = 18_099
SERVERS = {
    "gate serve": ["gate", "serve", "--services", str(EXAMPLE), "--listen", f"127.0.0.1:{PORT}"],
    "gunicorn": ["gunicorn", "--threads", "32", "--bind", f"127.0.0.1:{PORT}",
                 "gate.surfaces.http.wsgi:app()"],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--fresh", action="store_true")
    told = parser.parse_args()
    for name, command in SERVERS.items():
        with running(command) as (process, started):
            ask("first")
            print(f"{name}: first verdict {time.monotonic() - started:.2f} s after the start")
            for clients in (1, 16, 64):
                taken = 1000 * np.array(measured(clients, told.seconds, fresh=told.fresh))
                p50, p99 = np.percentile(taken, [50, 99])
                rate = len(taken) / told.seconds
                print(f"{clients:>4} clients {rate:6.0f}/s  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms")
            print(f"     {memory(process.pid)} MB resident")


@contextmanager
def running(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "GATE_LEDGER": f"{folder}/ledger.db", "GATE_INSECURE": "true",
                   "GATE_SERVICES": str(EXAMPLE)}  # fmt: skip
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


def ask(step: str) -> None:
    body = {"service": "checkout", "canaryHash": "v1.9.1", "stableHash": "v1.8.0", "step": step}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/argo/verdict", orjson.dumps(body), headers)
    answer = connection.getresponse()
    told = orjson.loads(answer.read())
    if answer.status != 200 or told["id"] is None:
        raise SystemExit(f"no verdict: {answer.status} {told}")
    connection.close()


def measured(clients: int, seconds: float, *, fresh: bool) -> list[float]:
    """Seconds that each answer took."""
    taken: list[float] = []
    end, numbers = time.monotonic() + seconds, count()

    def poll(client: int) -> None:
        while (begun := time.monotonic()) < end:
            ask(f"{clients}.{client}.{next(numbers)}" if fresh else str(client))
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
