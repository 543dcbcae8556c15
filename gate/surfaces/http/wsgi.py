r"""The app for a WSGI server, set up by the environment alone.

    GATE_SERVICES=/etc/gate/services GATE_TOKENS=/etc/gate/tokens.yaml \
        gunicorn --threads 32 --bind 0.0.0.0:8080 'gate.surfaces.http.wsgi:app()'

What is no HTTP never gets here: gunicorn refuses it by itself, in HTML, with a 4xx.
One worker: its threads wait for Prometheus, and pollers share answers within a process only.
"""

from __future__ import annotations

import os

from flask import Flask

from gate.settings import settings
from gate.surfaces.http.app import create
from gate.surfaces.http.configuration import build, parts, setup
from gate.surfaces.http.logs import to_standard_error
from gate.surfaces.http.reloading import Reloading


def app() -> Flask:
    """The app; raises UsageError with all that is wrong with a file or variable."""
    to_standard_error()
    own, found = setup(os.environ), settings(os.environ)
    its = build(own, found, os.environ)
    Reloading(its, lambda: parts(own, found, os.environ), own.files).watch()
    its.protection.start()
    return create(its)
