"""Judge in this job: the gate from the action's own checkout, with locked packages around it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from answer import UNDECIDED, WRONG, Answer, BrokenError, RefusedError, UndecidedError, told
from inputs import Inputs
from runner import annotate, mask, plain, say

INSTALLING = 600.0  # seconds
GRACE = 60.0  # seconds beyond its own time after which the judge is stopped
LEAVING = 3.0  # seconds; the runner gives 7.5 between its first and its second signal
LAST_WORDS = 4.0  # seconds; of a cancelled job not many are left
# How packages are reached is the machine's to say; what is installed, and where to, is ours alone.
PIP_MAY = frozenset(
    f"PIP_{name}"
    for name in (
        "CACHE_DIR", "CERT", "CLIENT_CERT", "CONFIG_FILE", "EXTRA_INDEX_URL", "FIND_LINKS",
        "INDEX_URL", "KEYRING_PROVIDER", "NO_CACHE_DIR", "NO_INDEX", "PROXY", "RETRIES", "TIMEOUT",
        "TRUSTED_HOST",
    )
)  # fmt: skip
# By a flag, as -I is deaf to PYTHONUTF8; Windows would write reports in its code page.
PYTHON = ("-I", "-X", "utf8")


class Gate:
    """The command line of the gate, in a virtual environment of the runner's temporary folder."""

    def __init__(self, folder: Path, given: Inputs, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._checkout = Path(environ["GITHUB_ACTION_PATH"]).resolve()
        self._environ = _environ(folder, given, environ)
        self._python = ""

    def install(self) -> None:
        """Once a job: steps after the first find it by the digest of what it is made from.

        Raises UndecidedError.
        """
        venv = venv_of(self._folder, self._checkout)
        script = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        self._python = str(venv / script)
        if (venv / "ready").exists():
            return
        began = time.monotonic()
        shutil.rmtree(venv, ignore_errors=True)
        pip = [self._python, *PYTHON, "-m", "pip", "install", "--quiet", "--no-input"]
        locked = ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        for command in (
            [sys.executable, *PYTHON, "-m", "venv", str(venv)],
            [*pip, *locked, "-r", str(_lock(self._checkout))],
        ):
            if self._run(command, INSTALLING, None) != 0:
                raise UndecidedError("the gate's packages could not be installed; the log has more")
        where = [
            self._python,
            *PYTHON,
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ]
        site = Path(
            subprocess.run(where, check=True, capture_output=True, encoding="utf-8").stdout.strip()
        )
        (site / "release_gate.pth").write_text(f"{self._checkout}\n", encoding="utf-8")
        (venv / "ready").touch()
        say(f"installed in {time.monotonic() - began:.1f} s")

    def __call__(self, arguments: Sequence[str], within: float, out: Path | None = None) -> int:
        """The exit code of `gate` with these arguments; what it prints goes to `out` or the log."""
        return self._run([self._python, *PYTHON, "-m", "gate", *arguments], within, out)

    def _run(self, command: Sequence[str], within: float, out: Path | None) -> int:
        """Raises UndecidedError when the time is over; the child never outlives this step."""
        to = out.open("wb") if out else None
        with plain():
            child = subprocess.Popen(command, stdout=to or sys.stderr, env=self._environ)
            try:
                return child.wait(within)
            except subprocess.TimeoutExpired:
                raise UndecidedError(f"the time was up: {within:.0f} s") from None
            finally:
                _stop(child)
                if to:
                    to.close()


def venv_of(folder: Path, checkout: Path) -> Path:
    """Where the virtual environment of this lock, checkout and Python is."""
    parts = (_lock(checkout).read_bytes(), str(checkout).encode(), sys.version.encode())
    return folder / f"venv-{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"


def _lock(checkout: Path) -> Path:
    return checkout / "action" / "requirements.txt"


def _environ(folder: Path, given: Inputs, environ: Mapping[str, str]) -> dict[str, str]:
    """The job's own, with a ledger for its steps and the token where there is none."""
    own = {name: value for name, value in environ.items() if _is_the_jobs(name)}
    own.setdefault("GATE_LEDGER", str(folder / "ledger.db"))
    own.setdefault("GATE_CACHE", str(folder / "cache"))
    if given.github_token:
        mask(given.github_token)
        own["GITHUB_TOKEN"] = own.get("GITHUB_TOKEN") or given.github_token
    return own


def _is_the_jobs(name: str) -> bool:
    """Also of large and small letters: pip and Windows do not tell them apart."""
    upper = name.upper()
    return not upper.startswith(("GATE_ACTION_", "PIP_")) or upper in PIP_MAY


def _stop(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM if os.name == "nt" else signal.SIGINT)
        try:
            child.wait(LEAVING)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def answered(given: Inputs, environ: Mapping[str, str], folder: Path) -> Answer:
    """The answer of `gate check`; raises UndecidedError and RefusedError."""
    gate = Gate(folder, given, environ)
    gate.install()
    following = ["--status"] if given.status else []
    following += [f"--deployment={given.deployment_id}"] if given.deployment_id else []
    about = [f"--file={given.service_file}", *following]
    if following:
        _write(gate, folder, ["begin", *about])
    try:
        answer = _judged(gate, given, folder)
    except BaseException:  # also a cancelled job leaves no status that is pending for ever
        if following:
            _write(gate, folder, ["give-up", *about], LAST_WORDS)
        raise
    written = [*following, *(["--check"] if given.check else []), *_comment(given, answer)]
    if written:
        _write(gate, folder, ["report", *written, answer.id])
    return answer


def _comment(given: Inputs, answer: Answer) -> list[str]:
    """After a failure that was commented, the comment must not go on saying so."""
    if given.comment == "never":
        return []
    how = "always" if given.comment == "always" or answer.exit_code else "existing"
    return [f"--comment={how}", *([f"--pr={given.pull_request}"] if given.pull_request else [])]


def _judged(gate: Gate, given: Inputs, folder: Path) -> Answer:
    report, page = folder / "report.json", folder / "report.md"
    wait = 0.0 if given.as_of else given.wait
    code = gate(_check(given, wait), wait + given.timeout + GRACE, report)
    try:
        found = json.loads(report.read_bytes())
    except (OSError, ValueError):
        # It has said why in the log; a usage error is not helped by asking again.
        if code == WRONG:
            raise RefusedError(
                "the service file or an input is wrong; the log says where"
            ) from None
        kind = UndecidedError if code == UNDECIDED else BrokenError
        raise kind(f"gate check ended with {code} and no report; the log has more") from None
    answer = told(found)
    if answer.exit_code != code:
        raise BrokenError(f"gate check ended with {code}, its report says {answer.exit_code}")
    if gate(["ledger", "show", answer.id, "--format", "markdown"], GRACE, page) == 0:
        return replace(answer, markdown=page.read_text(encoding="utf-8"))
    annotate("warning", "the report could not be made, only the verdict")
    return answer


def _check(given: Inputs, wait: float) -> list[str]:
    """The arguments, each in one word, so that no value can be a flag."""
    flags = {
        "--file": given.service_file, "--canary": given.canary, "--baseline": given.baseline,
        "--since": given.since, "--as-of": given.as_of,
        "--policy": given.policy, "--timeout": f"{given.timeout:g}s", "--every":
        f"{given.poll_interval:g}s", "--wait": f"{wait:g}s" if wait else "",
    }  # fmt: skip
    words = [f"{flag}={value}" for flag, value in flags.items() if value]
    words += [f"--var={name}={value}" for name, value in given.variables]
    words += [f"--label={label}" for label in given.labels]
    words += ["--rollback"] if given.rollback else []
    return ["check", "--format=json", *words]


def _write(gate: Gate, folder: Path, arguments: Sequence[str], within: float = GRACE) -> None:
    """What cannot be written is a warning; no verdict changes by it."""
    out = folder / "written.json"
    try:
        gate(["github", arguments[0], "--format=json", *arguments[1:]], within, out)
        written = json.loads(out.read_bytes())["written"]
    except (UndecidedError, OSError, ValueError, KeyError):
        annotate("warning", "nothing could be written to GitHub; the log has more")
        return
    for one in written:
        if not one["done"]:
            annotate("warning", f"{one['what']}: {one['detail']}")
