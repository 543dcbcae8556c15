"""Workflows of GitHub Actions, known by the tokens GitHub signs for them (OpenID Connect).

What must hold: an RS256 signature by a key of the configured issuer, the issuer and audience as
configured, a time within the token's, and the claims that an entry of the file of tokens asks for.
https://docs.github.com/en/actions/concepts/security/openid-connect
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import jwt

from gate.surfaces.http.issuer import Issuer
from gate.surfaces.http.tokens import BadTokenError, Caller

LEEWAY = 30.0  # seconds by which clocks may differ
# Not what the token's own header asks for: `none`, or HS256 with the public key as the secret.
ALGORITHMS = ("RS256",)
REQUIRED = ("iss", "aud", "exp", "iat", "repository")
CLAIMS = ("repository", "environment", "ref", "job_workflow_ref")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A caller, and the globs its claims must match, each."""

    caller: Caller
    claims: Mapping[str, str]

    def fits(self, claims: Mapping[str, Any]) -> bool:
        """Whether every claim asked for is there and matches."""
        return all(
            isinstance(claims.get(name), str) and fnmatchcase(claims[name], pattern)
            for name, pattern in self.claims.items()
        )


class Workflows:
    """Callers by their tokens; of several that a token fits, the first of the file."""

    def __init__(self, issuer: Issuer, audience: str, workflows: Sequence[Workflow]) -> None:
        self._issuer, self._audience, self._workflows = issuer, audience, tuple(workflows)

    def __call__(self, token: str) -> Caller:
        """Whose token it is; raises BadTokenError, and GateError without the issuer's keys."""
        claims = self._verified(token)
        for one in self._workflows:
            if one.fits(claims):
                return one.caller
        told = ", ".join(f"{name} {claims[name]!r}" for name in CLAIMS if claims.get(name))
        raise BadTokenError(f"no entry is for a workflow of {told}")

    def _verified(self, token: str) -> Mapping[str, Any]:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer.url,
                leeway=LEEWAY,
                options={"require": list(REQUIRED)},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise BadTokenError(_why(error)) from None
        return claims

    def _key(self, token: str) -> Any:
        """By the name the token gives; what else its header says (`jku`, `x5u`) is not read."""
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError
        key = self._issuer.key(str(header.get("kid", "")))
        if key is None:
            raise BadTokenError("the issuer has no key of that name")
        return key


def _why(error: Exception) -> str:
    """The reason in our words: the library's may quote the token."""
    return next((why for kind, why in _REASONS if isinstance(error, kind)), "it is malformed")


_REASONS: Sequence[tuple[type[jwt.PyJWTError], str]] = (
    (jwt.ExpiredSignatureError, "it has expired"),
    (jwt.ImmatureSignatureError, "it is not valid yet"),
    (jwt.InvalidAudienceError, "it is for another audience"),
    (jwt.InvalidIssuerError, "it is of another issuer"),
    (jwt.MissingRequiredClaimError, "a claim is missing"),
    (jwt.InvalidAlgorithmError, "it is not signed with RS256"),
    (jwt.InvalidSignatureError, "its signature is wrong"),
)
