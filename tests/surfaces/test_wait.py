"""`gate check --wait`: ask again until the answer is in or the time is up."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from gate.surfaces.cli.main import run
from tests.parts.broken import BROKEN, HEALTHY, answering, failed
from tests.parts.services import service_file


def wait(url, tmp_path, *flags: str) -> int:
    return run(
        ["check", "-f", str(service_file(tmp_path, url)), "--canary", "v2", "--baseline", "v1",
         "--since", "30m", "--timeout", "1s", "--ledger", str(tmp_path / "ledger.db"), *flags]
    )  # fmt: skip


def decisions(tmp_path, capfd) -> int:
    capfd.readouterr()
    run(["ledger", "list", "--ledger", str(tmp_path / "ledger.db")])
    return len(capfd.readouterr().out.splitlines())


def test_an_answer_ends_the_waiting_at_once(tmp_path, capfd):
    with HEALTHY.serve() as url:
        assert wait(url, tmp_path, "--wait", "10m") == 0
    assert decisions(tmp_path, capfd) == 1


def test_time_up_is_still_a_hold_and_every_ask_was_stored(tmp_path, capfd):
    with BROKEN["empty"].serve() as url:
        assert wait(url, tmp_path, "--wait", "2s", "--every", "500ms") == 10
    assert decisions(tmp_path, capfd) >= 3


@pytest.mark.parametrize(("behaviour", "otherwise"), [("empty", 10), ("500", 30)])
def test_time_up_may_be_told_to_mean_rollback(tmp_path, capfd, behaviour, otherwise):
    with BROKEN[behaviour].serve() as url:
        assert wait(url, tmp_path, "--wait", "1s", "--every", "1s") == otherwise
        capfd.readouterr()
        flags = ("--wait", "1s", "--every", "1s", "--on-timeout", "rollback")
        assert wait(url, tmp_path, *flags) == 20
    out, err = capfd.readouterr()
    assert "HOLD" in out
    assert "time is up after 1s; --on-timeout says rollback" in err


def test_a_source_that_comes_back_is_heard(tmp_path, capfd):
    back = time.monotonic() + 2.0

    def reply(asked):
        if time.monotonic() < back:
            return failed(503, "unavailable", "starting up")
        return HEALTHY.reply(asked)

    with answering(reply) as server:
        assert wait(server.url, tmp_path, "--wait", "1m", "--every", "500ms") == 0
    assert decisions(tmp_path, capfd) >= 2


def test_progress_is_told_on_a_terminal_and_not_in_a_pipe(tmp_path):
    command = [
        sys.executable, "-m", "gate", "check", "--canary", "v2", "--baseline", "v1",
        "--since", "30m", "--wait", "1s", "--every", "500ms", "--ledger", str(tmp_path / "l.db"),
    ]  # fmt: skip
    with BROKEN["empty"].serve() as url:
        file = str(service_file(tmp_path, url))
        piped = subprocess.run([*command, "-f", file], capture_output=True, check=False)
        terminal, end = pty.openpty()
        with os.fdopen(terminal, "rb"), os.fdopen(end, "wb") as stderr:
            told = subprocess.run(
                [*command, "-f", file], stdout=subprocess.PIPE, stderr=stderr, check=False
            )
            seen = os.read(terminal, 10_000).decode()
    assert (piped.returncode, told.returncode) == (10, 10)
    assert piped.stderr == b""
    assert "asking again" in seen
