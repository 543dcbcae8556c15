"""Programs in Go of others, or made of their code, built where Go is and modules can be fetched.

The first build of Argo's takes minutes (1,350 packages, most of them Kubernetes'); from then on
Go's cache has it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LONGEST = 1_800.0  # seconds for a build, with nothing cached
WITHIN = 90  # seconds for an analysis; what runs longer is told as it is then


@dataclass(frozen=True)
class Program:
    """A program whose answer is JSON on stdout."""

    path: Path

    def told(self, *arguments: str) -> Any:
        done = subprocess.run(
            [self.path, *arguments], check=True, capture_output=True, timeout=WITHIN + 60
        )
        return json.loads(done.stdout)


def built(name: str, folder: Path, package: str = ".") -> Program:
    """A program of this folder's module, its own or the package's, or the test is skipped."""
    if not (go := shutil.which("go")):
        pytest.skip("Go is not installed (apt-get install golang-go)")
    module = HERE / name
    fetched = subprocess.run([go, "mod", "download"], cwd=module, capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"Go's modules cannot be fetched: {fetched.stderr.strip()[-300:]}")
    # Two at a time: Kubernetes' packages take much memory each.
    command = [go, "build", "-p", "2", "-ldflags", "-s -w", "-o", str(folder / name), package]
    made = subprocess.run(command, cwd=module, capture_output=True, text=True, timeout=LONGEST)
    assert made.returncode == 0, made.stderr
    return Program(folder / name)
