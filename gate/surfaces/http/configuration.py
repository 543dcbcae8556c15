"""How a server is set up: flags, or the environment of an image, to its parts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gate.errors import UsageError
from gate.reading import noting
from gate.settings import PREFIX, Settings
from gate.sources.address import on_this_machine
from gate.surfaces.http.catalogue import catalogue
from gate.surfaces.http.server import Parts, Server
from gate.surfaces.http.tokens import Tokens
from gate.surfaces.http.tokens_file import load
from gate.surfaces.protection import app_file
from gate.wiring import ledger

LISTEN = "127.0.0.1:8080"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """`services`: files and folders of them. `listen`: host and port; None where a server in front
    of the app listens (gunicorn), so that it must be taken for open to all. `insecure`: without
    tokens all the same. `github`: the file of the GitHub App.
    """

    services: tuple[Path, ...] = ()
    policies: Path | None = None
    tokens: Path | None = None
    github: Path | None = None
    url: str = ""
    insecure: bool = False
    listen: tuple[str, int] | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Files and folders that may change while the server runs."""
        key = app_file.key_of(self.github) if self.github else ()
        named = (self.policies, self.tokens, self.github, *key)
        return (*self.services, *(one for one in named if one))


def setup(environ: Mapping[str, str], **flags: Any) -> Setup:
    """The environment, then flags; those that are None do not speak. Raises UsageError.

    GATE_SERVICES holds several paths as PATH does. GATE_POLICIES, GATE_TOKENS, GATE_GITHUB,
    GATE_URL and GATE_INSECURE (true or false) are as the flags of `gate serve`.
    """

    def told(name: str) -> str:
        return environ.get(f"{PREFIX}{name}", "")

    of_environment = {
        "services": tuple(Path(one) for one in told("SERVICES").split(os.pathsep) if one),
        "policies": Path(told("POLICIES")) if told("POLICIES") else None,
        "tokens": Path(told("TOKENS")) if told("TOKENS") else None,
        "github": Path(told("GITHUB")) if told("GITHUB") else None,
        "url": told("URL"),
        "insecure": _yes_or_no(f"{PREFIX}INSECURE", told("INSECURE") or "false"),
    }
    spoken = {name: value for name, value in flags.items() if value is not None}
    found = replace(Setup(), **{**of_environment, **spoken})
    if found.policies is not None and not found.policies.is_dir():
        raise UsageError(f"{found.policies}: no such folder", "--policies names a folder")
    if found.url and not found.url.startswith(("http://", "https://")):
        raise UsageError(f"{found.url!r} is no URL", "write https://gate.example.com")
    return found


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:8080`, `[::1]:8080` or `:8080` (all interfaces); raises UsageError."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise UsageError(f"{text!r} is no address to listen on", f"write {LISTEN}")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  asked for, and refused below


def build(own: Setup, settings: Settings, environ: Mapping[str, str]) -> Server:
    """The parts of the server; raises UsageError with all that is wrong with any file."""
    read = parts(own, settings, environ)
    return Server(
        read.catalogue,
        ledger(settings),
        tokens=read.tokens,
        files=read.files,
        url=own.url,
        github=read.github,
    )


def parts(own: Setup, settings: Settings, environ: Mapping[str, str]) -> Parts:
    """What is read from files, and may be read again; raises UsageError."""
    with noting() as files:
        tokens = _tokens(own)
        services = catalogue(own.services, own.policies, settings, environ)
        github = app_file.load(own.github, services, environ) if own.github else None
    return Parts(services, tokens, github, frozenset(files))


def _tokens(own: Setup) -> Tokens | None:
    """None where anybody may ask; raises UsageError where that must not be."""
    tokens = load(own.tokens) if own.tokens else None
    if tokens is None and not own.insecure and not (own.listen and on_this_machine(own.listen[0])):
        where = "where others can reach it" if own.listen is None else f"on {own.listen[0]}"
        raise UsageError(
            f"without tokens anybody could ask and tell, {where}",
            "name a file of tokens (`gate token new` makes one), or say --insecure (GATE_INSECURE)",
        )
    return tokens


def _yes_or_no(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f"{name}: {text!r} is neither true nor false", "write true or false")
    return text == "true"
