"""Whole workflows, run by nektos/act in its host mode: no Docker, no container, no Node.

    ran = run(program, repository, workflow, tmp_path)
    assert ran.jobs == {"gate": "failure", "roll-back": "success"}

act evaluates expressions, orders jobs, obeys commands and hands on outputs with code of its own; it
shares nothing with `tests/parts/workflow.py`, which knows an action's only step. For
`actions/checkout` it copies the repository's folder as it lies there, also what is not committed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from tests.interop.programs import Program
from tests.parts.clones import Repository
from tests.parts.hub import REPO
from tests.parts.workflow import python_first

ROOT = Path(__file__).parents[2]
CHECKOUT = {"uses": "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"}
WITHIN = 300.0  # seconds; what runs longer hangs
HOST_MODE = (
    "--platform=ubuntu-24.04=-self-hosted", "--container-daemon-socket=-", "--no-cache-server",
    "--action-offline-mode", "--rm", "--json",
)  # fmt: skip
# A test may itself run in a job, or in a shell that knows a gate.
_NOT_INHERITED = ("ACTIONS_", "GATE_", "GITHUB_", "INPUT_", "PYTHON", "RUNNER_", "XDG_")


@dataclass(frozen=True)
class Ran:
    """What act told, an object a line. `code` is 0 where no job failed."""

    code: int
    lines: list[dict[str, Any]]

    @property
    def jobs(self) -> dict[str, str]:
        """How each ended, success or failure; one that was skipped is not here."""
        return {one["jobID"]: one["jobResult"] for one in self.lines if "jobResult" in one}

    def said(self, step: str) -> str:
        """What the step of this id printed and act did not take for a command."""
        return "".join(one["msg"] for one in self._of(step) if one.get("raw_output")).strip()

    def obeyed(self, step: str) -> list[str]:
        """The commands in its log that act obeyed, but those that stop others for a while."""
        main = (one for one in self._of(step) if one["stage"] == "Main")
        # What comes after its end was read from its files.
        running = takewhile(lambda one: "stepResult" not in one, main)
        found = [one["command"] for one in running if "command" in one]
        return [one for one in found if not re.fullmatch("stop-commands|ignored|[0-9a-f]{32}", one)]

    def summary(self, step: str) -> str:
        """Its job summary."""
        found = [one["content"] for one in self._of(step) if one.get("command") == "summary"]
        return found[0] if found else ""

    def _of(self, step: str) -> list[dict[str, Any]]:
        """A step within an action has the ids of both."""
        return [one for one in self.lines if one.get("stepID", [""])[0] == step]


def checked_out(folder: Path) -> Repository:
    """This project in a repository of its own, as it lies here, without what git ignores."""
    told = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(["git", "-C", ROOT, *told], check=True, capture_output=True, text=True)
    repository = Repository(folder)
    for name in filter(None, names.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return released(repository)


def released(repository: Repository) -> Repository:
    """Committed, and GitHub's `acme/shop`."""
    repository.commit("release", {})
    repository("remote", "add", "origin", f"https://github.com/{REPO}")
    return repository


def run(
    program: Program,
    repository: Repository,
    workflow: Path | Mapping[str, Any],
    folder: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    actions: Mapping[str, Path] | None = None,
    interrupt: Callable[[Path], bool] | None = None,
) -> Ran:
    """A push to the repository's HEAD. `actions`: by `owner/name@ref`, where each is found.

    `interrupt` says, of the log so far, when the run is cancelled.
    """
    folder.mkdir(exist_ok=True)
    if not isinstance(workflow, Path):
        (folder / "release.yml").write_text(json.dumps(workflow))  # JSON is YAML
        workflow = folder / "release.yml"
    words = {
        "secret": {"GITHUB_TOKEN": "", **(secrets or {})},
        "env": environ or {},
        "local-repository": actions or {},
    }
    command = [program.path, "push", f"--directory={repository.folder}", f"--workflows={workflow}",
               *HOST_MODE]  # fmt: skip
    command += [f"--{kind}={k}={v}" for kind, given in words.items() for k, v in given.items()]
    log = folder / "act.log"
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=_environ(folder), stdout=written)
        try:
            code = _ended(process, log, interrupt)
        finally:
            process.kill()
    return Ran(code, [json.loads(line) for line in log.read_bytes().splitlines()])


def _environ(folder: Path) -> dict[str, str]:
    """As this machine is set up, in a home of its own, with this Python first."""
    own = {k: v for k, v in os.environ.items() if not k.upper().startswith(_NOT_INHERITED)}
    python = Path(getattr(sys, "_base_executable", sys.executable))
    path = f"{python_first(folder, python)}:{os.environ['PATH']}"
    return {**own, "HOME": str(folder / "home"), "PATH": path}


def _ended(
    process: subprocess.Popen[bytes], log: Path, interrupt: Callable[[Path], bool] | None
) -> int:
    until = time.monotonic() + WITHIN
    while interrupt and process.poll() is None and not interrupt(log):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    if interrupt:
        process.send_signal(signal.SIGINT)
    return process.wait(until - time.monotonic())
