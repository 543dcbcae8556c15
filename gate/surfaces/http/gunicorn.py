"""Settings of gunicorn: `gunicorn -c python:gate.surfaces.http.gunicorn`; its flags go before them.

One worker: its threads wait for Prometheus, and pollers share answers within a process only.
Nothing is written but to the ledger, so that the root file system may be read-only.
"""

from __future__ import annotations

import signal
from typing import Any

wsgi_app = "gate.surfaces.http.wsgi:app()"
bind = "0.0.0.0:8080"
workers = 1
threads = 32
worker_tmp_dir = "/dev/shm"  # noqa: S108  gunicorn makes a file of its own there
control_socket_disable = True
graceful_timeout = 25  # seconds; less than the 30 after which Kubernetes kills


def when_ready(arbiter: Any) -> None:
    """SIGHUP goes to the worker, which loads the files again and keeps the old ones if it cannot.

    Gunicorn itself would begin a new worker, and end for good where that cannot read a file.
    """
    arbiter.handle_hup = lambda: arbiter.kill_workers(signal.SIGHUP)
