"""A runner of composite actions: it does what GitHub's does with the steps of an action.yml.

    step = run(ROOT / "action.yml", tmp_path, {"canary": "v2"})
    assert step.outputs["outcome"] == "promote"

Each `${{ inputs.x }}` of `env:` is filled in, with the defaults of the file; the steps run in bash
as GitHub starts it, and what they leave in the runner's files is read back.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
_END_OF_LINE = re.compile(r"\r\n|\r|\n")  # to .NET's reader; to splitlines() also U+0085 and others
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]


@dataclass
class Step:
    """How it ended. `annotations`: (level, message) as a person sees them."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    seconds: float
    annotations: list[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.annotations = list(_annotations(self.log))


def run(
    action: Path,
    folder: Path,
    given: Mapping[str, str],
    *,
    environ: Mapping[str, str] | None = None,
    python: Path | None = None,
    interrupt: Callable[[Path], bool] | None = None,
    cwd: Path | None = None,
) -> Step:
    """The action's only step, run; `interrupt` says when the job is cancelled."""
    told = yaml.safe_load(action.read_text())
    (step,) = told["runs"]["steps"]
    assert step["shell"] == "bash"
    unknown = set(given) - set(told["inputs"])
    assert not unknown, f"no such inputs: {unknown}"
    values = {name: str(one.get("default", "")) for name, one in told["inputs"].items()}
    values = {name: _filled(text, {"github.token": ""}) for name, text in values.items()}
    values |= given
    contexts = {f"inputs.{name}": text for name, text in values.items()}
    files = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for file in files.values():
        file.write_text("")
    temp = folder / "temp"
    temp.mkdir(exist_ok=True)
    around = {
        "PATH": f"{python_first(folder, python)}:{os.environ['PATH']}",
        "HOME": str(folder),
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTION_PATH": str(action.parent),
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_RUN_ID": "42",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_JOB": "deploy",
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        **{name: str(file) for name, file in files.items()},
        **(environ or {}),
        **{name: _filled(text, contexts) for name, text in step["env"].items()},
    }
    script = folder / "step.sh"
    script.write_text(step["run"])
    log, beside = folder / "step.log", folder / "step.err"
    began = time.monotonic()
    with log.open("wb") as written, beside.open("wb") as erred:
        process = subprocess.Popen(
            [*BASH, str(script)], env=around, cwd=cwd or folder, stdout=written,
            stderr=erred,
        )  # fmt: skip
        while interrupt and process.poll() is None and not interrupt(log):
            time.sleep(0.02)
        if interrupt:
            process.send_signal(signal.SIGINT)
        code = process.wait(120)
    # Two streams reach the runner in no order, and some lines are only plain between two others.
    assert beside.read_bytes() == b""
    outputs = _outputs(files["GITHUB_OUTPUT"].read_text())
    summary = files["GITHUB_STEP_SUMMARY"].read_text()
    return Step(code, log.read_text(), outputs, summary, time.monotonic() - began)


def python_first(folder: Path, python: Path | None) -> Path:
    """A folder for PATH in which `python3` is this one; a venv's stays in its venv."""
    shims = folder / "shims"
    shims.mkdir(exist_ok=True)
    if python:
        shim = shims / "python3"
        shim.write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
        shim.chmod(0o755)
    return shims


def _filled(text: Any, contexts: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: contexts[found[1]], str(text))


def _outputs(text: str) -> dict[str, str]:
    """`name=value` and `name<<END`, as the runner reads them."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in filter(None, lines):
        name, mark, end = line.partition("<<")
        if mark and "=" not in name:
            value = []
            for inner in lines:
                if inner == end:
                    break
                value.append(inner)
            else:
                raise AssertionError(f"{name} does not end")
            found[name] = "\n".join(value)
        else:
            name, mark, value_ = line.partition("=")
            assert mark, f"no output: {line!r}"
            found[name] = value_
    return found


def _annotations(log: str):
    """The commands of the log that are obeyed: none between stop-commands and its word."""
    stopped = None
    for line in _END_OF_LINE.split(log):
        line = line.strip()
        if stopped:
            stopped = None if line == f"::{stopped}::" else stopped
        elif line.startswith("::stop-commands::"):
            stopped = line.removeprefix("::stop-commands::")
        elif found := re.fullmatch(r"::(error|warning|notice)(?: [^:]*)?::(.*)", line):
            text = found[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
            yield found[1], text
        elif line.startswith("::") and not re.match(
            r"::(add-mask|group|endgroup|[0-9a-f]{32})", line
        ):
            raise AssertionError(f"an unknown command: {line}")
        elif not line.startswith("::") and (older := re.search(r"##\[([a-z-]+)[^]]*\]", line)):
            raise AssertionError(f"obeyed as {older[1]}: {line}")


def has(word: str) -> Callable[[Path], bool]:
    """Interrupts once the log has this word."""
    return lambda log: word in log.read_text()
