"""The server as a process of its own: started, loaded, slowed, stopped and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from gate.ledger.sqlite import SqliteLedger
from gate.surfaces.cli.main import run
from tests.http.parts import BAD, EXAMPLE, GOOD, past
from tests.parts.broken import HEALTHY, Asked, Reply, answering
from tests.parts.ports import free_port, wait_for
from tests.parts.services import service_file

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

NO_HTTP = (
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300 + b"\r\n",
)


@dataclass
class Started:
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, body, path="/v1/decisions", **headers):
        return self.session.post(f"{self.url}{path}", json=body, headers=headers, timeout=30)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(30)


def wait_for_line(file, words):
    until = time.monotonic() + 20
    while words not in file.read_text():
        assert time.monotonic() < until, file.read_text()[-2000:]
        time.sleep(0.05)


@contextmanager
def started(
    folder: Path,
    file: Path = EXAMPLE,
    *,
    gunicorn: bool = False,
    flags: Sequence[str] = (),
    before: Sequence[str] = (),
) -> Iterator[Started]:
    """`before`: a command that runs the server."""
    port = free_port()
    environ = {**os.environ, "GATE_LEDGER": str(folder / "ledger.db")}
    command = [
        "-m",
        "gate",
        "serve",
        "--services",
        str(file),
        "--listen",
        f"127.0.0.1:{port}",
        *flags,
    ]
    if gunicorn:
        environ |= {"GATE_SERVICES": str(file), "GATE_INSECURE": "true"}
        settings = ["-c", "python:gate.surfaces.http.gunicorn"]
        command = ["-m", "gunicorn", *settings, "--bind", f"127.0.0.1:{port}"]
    log = folder / "log.txt"
    with log.open("ab") as written:
        process = subprocess.Popen([*before, sys.executable, *command], env=environ, stderr=written)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield Started(f"http://127.0.0.1:{port}", process, log)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("gunicorn", [False, True], ids=["gate serve", "gunicorn"])
def test_it_decides_and_stops_when_told(tmp_path, gunicorn):
    with started(tmp_path, gunicorn=gunicorn) as server:
        for release, verdict in ((GOOD, "promote"), (BAD, "rollback")):
            answer = server.ask(past(release))
            assert (answer.status_code, answer.json()["verdict"]) == (200, verdict)
        ready = requests.get(f"{server.url}/readyz", timeout=5).json()
        assert (ready["ready"], ready["sources"]) == (True, {"checkout/recording": "reachable"})
        metrics = requests.get(f"{server.url}/metrics", timeout=5).text
        assert 'gate_decisions_total{outcome="rollback",service="checkout"} 1.0' in metrics
        assert server.stop() == 0
        lines = [json.loads(one) for one in server.log.read_text().splitlines() if one[:1] == "{"]
    assert [one["verdict"] for one in lines if one["event"] == "decision"] == [
        "promote",
        "rollback",
    ]


def test_what_is_no_http_is_refused_in_json(tmp_path):
    with started(tmp_path) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        for garbage in NO_HTTP:
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                connection.sendall(garbage)
                answer = b"".join(iter(lambda: connection.recv(65_536), b""))
            head, _, body = answer.partition(b"\r\n\r\n")
            status = int(head.split()[1]) if head.startswith(b"HTTP/") else 400
            assert status >= 400, answer[:200]
            assert "error" in json.loads(body or head.splitlines()[-1]), answer[:200]


@pytest.mark.parametrize("gunicorn", [False, True], ids=["gate serve", "gunicorn"])
def test_a_body_that_is_broken_too_long_or_breaks_off_gets_no_verdict(tmp_path, gunicorn):
    body = b'{"service":"checkout","canaryHash":"c","stableHash":"b"}'
    chunked = b"Transfer-Encoding: chunked\r\n\r\n"
    broken = (
        (400, b"Content-Length: 500\r\n\r\n" + body),
        (400, chunked + b"zz\r\n"),
        (413, chunked + (b"100000\r\n" + body.ljust(2**20) + b"\r\n") * 2 + b"0\r\n\r\n"),
        (413, b"Content-Length: 10000000\r\n\r\n" + body),
    )
    head = b"POST /v1/argo/verdict HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
    with started(tmp_path, gunicorn=gunicorn) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        for status, rest in broken:
            with socket.create_connection((host, int(port)), timeout=20) as connection:
                connection.sendall(head + b"Connection: close\r\n" + rest)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.makefile("rb").read()
            assert answer.split()[1] == str(status).encode(), answer[:200]
            assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2])
    assert not (tmp_path / "ledger.db").exists()


def test_clients_that_send_slowly_keep_nobody_else_waiting(tmp_path):
    with started(tmp_path) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(100)]
        for one in slow:
            one.sendall(b"POST /v1/decisions HTTP/1.1\r\nContent-Length: 100\r\n")
        assert server.ask(past(BAD)).json()["verdict"] == "rollback"
        for one in slow:
            one.close()
        assert server.stop() == 0


def test_two_hundred_pollers_at_once_share_one_decision(tmp_path):
    with started(tmp_path) as server, ThreadPoolExecutor(200) as pool:
        asked = {"service": "checkout", "canaryHash": BAD, "stableHash": "v1.8.0"}

        def poll(_):
            return requests.post(f"{server.url}/v1/argo/verdict", json=asked, timeout=30)

        answers = list(pool.map(poll, range(200)))
    assert {one.status_code for one in answers} == {200}
    # Two, should a minute begin just then.
    assert len({one.content for one in answers}) <= 2
    assert len(list(SqliteLedger(tmp_path / "ledger.db").entries())) <= 2


def test_what_was_begun_is_answered_before_it_stops(tmp_path):
    asked = threading.Event()

    def slowly(question: Asked) -> Reply:
        asked.set()
        answer = HEALTHY.reply(question)
        answer.delay = 0.5
        return answer

    with answering(slowly) as source, started(tmp_path, service_file(tmp_path, source.url)) as it:
        with ThreadPoolExecutor(1) as pool:
            body = {"service": "shop", "canaryHash": "v2", "stableHash": "v1"}
            asking = pool.submit(it.ask, body, "/v1/argo/verdict")
            time.sleep(0.2)
            it.process.terminate()
            answer = asking.result()
        assert (answer.status_code, answer.json()["verdict"]) == (200, "hold")
        assert it.process.wait(30) == 0
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert ledger.entry(answer.json()["id"]).record.outcome == "hold"


def test_killed_under_load_it_has_stored_all_it_told(tmp_path):
    told: list[str] = []
    for round_ in range(5):
        with started(tmp_path) as server, ThreadPoolExecutor(8) as pool:
            stop = threading.Event()

            def load(client, server=server, stop=stop, round_=round_):
                for count in range(10_000):
                    body = past(BAD) | {"step": f"{round_}.{client}.{count}"}
                    try:
                        told.append(server.ask(body).json()["id"])
                    except (requests.RequestException, ValueError):
                        return
                    if stop.is_set():
                        return

            clients = [pool.submit(load, client) for client in range(8)]
            time.sleep(0.7)
            server.stop(signal.SIGKILL)
            stop.set()
            for one in clients:
                one.result()
    ledger = SqliteLedger(tmp_path / "ledger.db")
    assert ledger.verify().faults == ()
    assert told
    stored = {entry.record.id for entry in ledger.entries()}
    assert set(told) <= stored


@pytest.mark.parametrize("first", ["gate serve", "gunicorn"])
def test_the_commands_of_the_readme(tmp_path, first):
    """Beside another's server on its port, they run on a free one."""
    shown = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (serve,) = (one for one in shown if one.startswith(first))
    (ask,) = (one for one in shown if one.startswith("curl"))
    port = str(free_port())
    environ = {
        **os.environ, "GATE_LEDGER": str(tmp_path / "ledger.db"), "GATE_INSECURE": "true",
        "GATE_SERVICES": str(EXAMPLE),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    serve = serve.replace("gate serve", f"python -m gate serve --listen 127.0.0.1:{port}")
    command = serve.replace("0.0.0.0:8080", f"127.0.0.1:{port}")
    process = subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=ROOT, env=environ)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        told = subprocess.run(
            ["bash", "-c", ask.replace("8080", port)], check=True, capture_output=True
        )
        assert json.loads(told.stdout)["verdict"] == "rollback"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_a_port_that_is_taken_is_one_message_and_exit_2(capfd):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(["serve", "--services", str(EXAMPLE), "--listen", where]) == 2
    assert f"cannot listen on {where}" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("gunicorn", [False, True], ids=["gate serve", "gunicorn"])
def test_told_to_load_a_broken_file_it_goes_on_with_the_old_one(tmp_path, gunicorn):
    for name in ("recording.json", "gate.yaml"):
        (tmp_path / name).write_text(EXAMPLE.with_name(name).read_text())
    with started(tmp_path, tmp_path / "gate.yaml", gunicorn=gunicorn) as server:
        with (tmp_path / "gate.yaml").open("a") as file:
            file.write("rules: [\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for_line(server.log, "files kept")
        told = requests.get(f"{server.url}/readyz", timeout=10)
        assert (told.status_code, "cannot be loaded" in told.json()["files"]) == (200, True)
        assert server.stop() == 0
