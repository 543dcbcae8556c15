"""Settings of the gate itself: file, then environment, then flags; the last one that speaks wins.

They say where the gate keeps and finds things on this machine. What it decides by is in the
service file and the policy, which travel with the code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import platformdirs
from pydantic import Field

from gate.document import Duration, Section, fit, read
from gate.errors import UsageError, did_you_mean
from gate.units import seconds

PREFIX = "GATE_"
OWN = frozenset({"CACHE", "LEDGER", "TIMEOUT", "SETTINGS"})
# Read by the server, beside its flags; see `gate.surfaces.http.configuration`.
OF_THE_SERVER = frozenset({"SERVICES", "POLICIES", "TOKENS", "URL", "INSECURE", "GITHUB"})
# What Kubernetes puts into every pod beside a Service called gate or gate-something.
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_OF_KUBERNETES = re.compile(
    rf"{PREFIX}([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|"
    r"PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`ledger`: the SQLite file; `timeout`: seconds that all sources together may take.

    `cache`: the folder for what is costly to ask for again; None keeps nothing.
    """

    ledger: Path
    timeout: float = 20.0
    cache: Path | None = None


class SettingsSection(Section):
    """The settings file."""

    ledger: str | None = Field(None, min_length=1)
    cache: str | None = Field(None, min_length=1)
    timeout: Duration | None = Field(None, gt=0)


def settings(environ: Mapping[str, str], **flags: Any) -> Settings:
    """The settings of this run; `flags` that are None do not speak. Raises UsageError.

    The file is `GATE_SETTINGS`, or `gate/settings.yaml` in the user's configuration folder, where
    it may be missing.
    """
    found = Settings(
        ledger=platformdirs.user_state_path("gate") / "ledger.db",
        cache=platformdirs.user_cache_path("gate"),
    )
    for given in (_of_file(environ), _of_environment(environ), flags):
        known = {name: value for name, value in given.items() if value is not None}
        for name in {"ledger", "cache"} & known.keys():
            known[name] = Path(known[name]).expanduser()
        found = replace(found, **known)
    return found


def _of_file(environ: Mapping[str, str]) -> dict[str, Any]:
    named = environ.get(f"{PREFIX}SETTINGS")
    path = Path(named) if named else platformdirs.user_config_path("gate") / "settings.yaml"
    if not named and not path.is_file():
        return {}
    document = read(path)
    return {} if document.data is None else fit(document, SettingsSection).model_dump()


def _of_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {f"{PREFIX}{word}" for word in OWN | OF_THE_SERVER}
    for name in environ:
        if name.startswith(PREFIX) and name not in known and not _OF_KUBERNETES.fullmatch(name):
            raise UsageError(
                f"unknown environment variable {name}{did_you_mean(name, known)}",
                f"known: {', '.join(sorted(known))}",
            )
    timeout = environ.get(f"{PREFIX}TIMEOUT")
    return {
        "ledger": environ.get(f"{PREFIX}LEDGER") or None,
        "cache": environ.get(f"{PREFIX}CACHE") or None,
        "timeout": _timeout(timeout) if timeout else None,
    }


def _timeout(text: str) -> float:
    try:
        length = seconds(text)
    except UsageError as error:
        raise UsageError(f"{PREFIX}TIMEOUT: {error.message}", error.hint) from None
    if length <= 0:
        raise UsageError(f"{PREFIX}TIMEOUT: must be longer than nothing", "write 20s")
    return length
