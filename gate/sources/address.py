"""Where a source is reached, as a file or a setting names it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def plain_url(url: str, credentials: str, query: str = "") -> str:
    """The address without its last slash; raises ValueError for what is none.

    `credentials` and `query` tell where those go instead.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an http:// or https:// address is needed")
    if parts.username or parts.password:
        raise ValueError(f"credentials do not belong in a url: {credentials}")
    if parts.query or parts.fragment:
        raise ValueError("a url without ? and # is needed" + (query and f": {query}"))
    return url.rstrip("/")


def on_this_machine(host: str) -> bool:
    """Whether nobody else can listen on the way to this host.

    >>> [on_this_machine(one) for one in ("localhost", "127.0.0.2", "::1", "0.0.0.0", "gate")]
    [True, True, True, False, False]
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
