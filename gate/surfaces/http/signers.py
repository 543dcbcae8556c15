"""Bodies signed with a shared secret, as webhooks are.

`X-Gate-Signature-256: sha256=HEX` is the HMAC-SHA-256 of the body, byte for byte. With a header
`X-Gate-Timestamp` (Unix seconds) it is that of the timestamp, a dot and the body, and the request
is good for five minutes around it; without, whoever saw the request can send it again. No JSON
begins with a number and a dot, so neither form passes for the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gate.surfaces.http.signatures import signed
from gate.surfaces.http.tokens import Caller, Signature

SHORTEST = 32  # letters of a secret
FRESH = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Signer:
    """A caller and its secrets: two while one replaces the other.

    `timestamped`: a body without a signed timestamp is not believed.
    """

    caller: Caller
    secrets: tuple[str, ...]
    timestamped: bool


class Signers:
    """Those who may sign, asked by a body."""

    def __init__(self, signers: Iterable[Signer]) -> None:
        self._signers = tuple(signers)

    def __call__(self, body: bytes, signature: Signature, now: float) -> Caller | None:
        """Who signed it; None where nobody did, or too long ago."""
        message = body
        if signature.timestamp is not None:
            if not _fresh(signature.timestamp, now):
                return None
            message = signature.timestamp.encode() + b"." + body
        found: Caller | None = None
        for signer in self._signers:
            known = signed(message, signature.text, signer.secrets)
            if known and (signature.timestamp is not None or not signer.timestamped):
                found = signer.caller
        return found


def _fresh(timestamp: str, now: float) -> bool:
    seconds = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12
    return seconds and abs(now - int(timestamp)) <= FRESH
