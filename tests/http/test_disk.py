"""A real server whose disk is really full, and then is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import requests

from gate.ledger.sqlite import SqliteLedger
from tests.http.parts import BAD, GOOD, past
from tests.http.test_serve import started
from tests.ledger.test_sqlite_disk import with_mount

pytestmark = pytest.mark.slow


def test_a_full_disk_is_503_loses_nothing_and_passes(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = with_mount(disk, "-t tmpfs -o size=4m none")
    log = tmp_path / "log"
    log.mkdir()
    with started(log, flags=["--ledger", str(disk / "ledger.db")], before=mounted) as server:
        inside = Path(f"/proc/{server.process.pid}/root{disk}")
        first = server.ask(past(BAD)).json()
        with pytest.raises(OSError, match="No space left"):
            fill(inside / "ballast")

        full = [server.ask(past(GOOD) | {"step": str(step)}) for step in range(40)]
        assert full[-1].status_code == 503
        for one in full:
            assert one.status_code in (200, 503)  # a little may fit into pages that are there
            assert ("verdict" in one.json()) is (one.status_code == 200)
        reason = full[-1].json()["error"]["reason"]
        assert "the disk" in reason
        ready = requests.get(f"{server.url}/readyz", timeout=5)
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert "the disk" in ready.json()["ledger"]
        assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200

        (inside / "ballast").unlink()
        assert requests.get(f"{server.url}/readyz", timeout=5).status_code == 200
        again = server.session.get(f"{server.url}/v1/decisions/{first['id']}", timeout=5)
        assert again.json() == first
        last = server.ask(past(GOOD) | {"step": "after"}).json()
        assert last["verdict"] == "promote"
        told = {first["id"], last["id"], *(one.json()["id"] for one in full if one.ok)}
        shutil.copytree(inside, tmp_path / "copy")
    ledger = SqliteLedger(tmp_path / "copy" / "ledger.db")
    assert ledger.verify().faults == ()
    assert {entry.record.id for entry in ledger.entries()} == told


def fill(path: Path) -> None:
    with path.open("wb") as ballast:
        while True:
            ballast.write(bytes(4096))
            ballast.flush()
