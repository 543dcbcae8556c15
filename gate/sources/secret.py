"""Secrets, which a service file names and never holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError


def secret(name: str | None, file: Path | None, environ: Mapping[str, str]) -> str:
    """What the environment variable or the file holds; raises SourceError where it is no secret."""
    try:
        held = file.read_text(encoding="utf-8") if file else environ.get(name or "", "")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise SourceError(Cause.REFUSED, f"{file} cannot be read: {reason}") from None
    where = str(file) if file else f"environment variable {name}"
    held = held.rstrip("\r\n")  # editors and `kubectl create secret` leave one
    if not held:
        raise SourceError(Cause.REFUSED, f"{where} holds no secret")
    # A line break would end the header, and http.client's complaint about it quotes the secret.
    if not held.isprintable():
        raise SourceError(Cause.REFUSED, f"{where} holds control characters")
    return held


def refuse_letters(token: str) -> None:
    """Raises SourceError for a token that no header can carry; its text is not repeated."""
    if not token.isascii():
        raise SourceError(Cause.REFUSED, "a bearer token has ASCII letters only")
