r"""The app for a WSGI server, set up by the environment alone.

    GATE_SERVICES=/etc/gate/services GATE_TOKENS=/etc/gate/tokens.yaml \
        gunicorn -c python:gate.surfaces.http.gunicorn

What is no HTTP never gets here: gunicorn refuses it by itself, in HTML, with a 4xx.
"""

from __future__ import annotations

import os
import signal
import threading

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
    reloading = Reloading(its, lambda: parts(own, found, os.environ), own.files)
    reloading.watch()
    if threading.current_thread() is threading.main_thread():  # else no signal can be heard
        signal.signal(signal.SIGHUP, lambda *_: reloading.soon())
    its.protection.start()
    return create(its)
