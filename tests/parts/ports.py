"""Free ports on the loopback interface, and waiting for a server to be ready."""

from __future__ import annotations

import socket
import subprocess
import time

import requests


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    url: str, process: subprocess.Popen[bytes], seconds: float = 20.0, **how: object
) -> None:
    """Returns when `url` answers below 500; fails the test when the process ends or time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended with {process.returncode}")
        try:
            if requests.get(url, timeout=2, **how).status_code < 500:  # type: ignore[arg-type]
                return
        except requests.RequestException:
            pass
        time.sleep(0.03)
    raise AssertionError(f"{url} was not ready after {seconds} s")
