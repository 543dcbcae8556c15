"""The gate itself, from the action's own checkout, with locked packages around it."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from answer import BrokenError
from inputs import Inputs
from runner import mask, plain, say

INSTALLING = 600.0  # seconds
LEAVING = 3.0  # seconds; the runner gives 7.5 between its first and its second signal
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

        Raises BrokenError: what cannot be installed is no service out of reach.
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
        try:
            for command in (
                [sys.executable, *PYTHON, "-m", "venv", str(venv)],
                [*pip, *locked, "-r", str(_lock(self._checkout))],
            ):
                if self._run(command, INSTALLING, None) != 0:
                    raise BrokenError("its packages could not be installed; the log has more")
            self._add_checkout()
            (venv / "ready").touch()
        except (BrokenError, OSError, subprocess.SubprocessError) as error:
            raise BrokenError(f"the gate could not be installed: {error}") from None
        say(f"installed in {time.monotonic() - began:.1f} s")

    def _add_checkout(self) -> None:
        """The gate's own code is not copied, only named."""
        where = [
            self._python,
            *PYTHON,
            "-c",
            "import sysconfig; print(sysconfig.get_path('purelib'))",
        ]
        told = subprocess.run(where, check=True, capture_output=True, encoding="utf-8").stdout
        own = Path(told.strip()) / "release_gate.pth"
        own.write_text(f"{self._checkout}\n", encoding="utf-8")

    def __call__(
        self, arguments: Sequence[str], within: float, out: Path | None = None, **more: str
    ) -> int:
        """The exit code of `gate` with these arguments; what it prints goes to `out` or the log.

        `more`: variables of its environment.
        """
        return self._run([self._python, *PYTHON, "-m", "gate", *arguments], within, out, **more)

    def _run(self, command: Sequence[str], within: float, out: Path | None, **more: str) -> int:
        """Raises BrokenError when the time is over; the child never outlives this step.

        What it asks has deadlines of its own, so it is not that which is out of reach.
        """
        to = out.open("wb") if out else None
        with plain():
            environ = {**self._environ, **more}
            child = subprocess.Popen(command, stdout=to or sys.stderr, env=environ)
            try:
                return child.wait(within)
            except subprocess.TimeoutExpired:
                raise BrokenError(f"the time was up: {within:.0f} s") from None
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
    """The job's own, with a ledger for its steps and the token where there is none.

    The job may have given one of its own to the sources of the service file.
    """
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
