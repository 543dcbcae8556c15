"""Where a manifest sends its questions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from gate.finding import Finding
from gate.rollout_lint.part import Part

VERDICT, OUTCOME, FLAGGER = "/v1/argo/verdict", "/v1/argo/outcome", "/v1/flagger/"
SECRETS = ("token", "secret", "password", "apikey", "api_key", "access_token")
_INSIDE = (".svc", ".cluster.local", ".internal", ".local")


def split(url: str) -> SplitResult:
    """The parts of a URL; none of them where it is no URL."""
    try:
        return urlsplit(url)
    except ValueError:
        return urlsplit("")


def host(url: str) -> str:
    """The name asked, without port; empty where none is written."""
    try:
        return split(url).hostname or ""
    except ValueError:
        return ""


def inside(name: str) -> bool:
    """Whether only the cluster (or this machine) knows the name; a placeholder may be one."""
    if "." not in name or "{" in name or name.endswith(_INSIDE):
        return True
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return False


def by_way(url: Part, *, consequence: str) -> Iterator[Finding]:
    """What is wrong with how the gate is reached."""
    name = host(url.text)
    if not inside(name):
        yield url.odd(
            "public-host",
            f"{name} looks like a public name: {consequence}",
            "ask the gate's Service: http://NAME.NAMESPACE.svc:8080",
        )
        if split(url.text).scheme == "http":
            told = "the token and the verdict go unencrypted through networks of others"
            yield url.odd("plain-http", told, "write https://, or ask within the cluster")
    query = split(url.text).query.lower()
    if any(f"{word}=" in query for word in SECRETS):
        yield url.wrong(
            "token-in-url",
            "the token in the URL is written into events and logs whenever the call fails",
            "send it as `Authorization: Bearer`; Flagger: `metadata.token`",
        )
