"""What a user installs: the wheel holds all that the gate needs to run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_wheel_alone_runs_the_demo(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    assert (site / "gate/shipped/policies/standard.yaml").is_file()
    assert (site / "gate/shipped/schemas/policy.schema.json").is_file()
    environ = {
        **os.environ, "PYTHONPATH": str(site), "GATE_LEDGER": str(tmp_path / "ledger.db"),
    }  # fmt: skip
    program = (
        "import gate; print(gate.__file__); "
        "from gate.surfaces.cli.main import run; raise SystemExit(run(['demo']))"
    )
    # Started elsewhere, so that only the wheel can be what is imported.
    demo = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert demo.stdout.startswith(str(site)), demo.stdout[:200]
    assert demo.returncode == 0, demo.stderr
    for verdict in ("PROMOTE", "ROLLBACK", "HOLD"):
        assert verdict in demo.stdout
