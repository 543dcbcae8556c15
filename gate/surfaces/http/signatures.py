"""`sha256=` signatures of a body: HMAC-SHA256 under a secret that both ends know.

GitHub signs its webhooks so (`X-Hub-Signature-256`); whoever else signs may do the same.
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "sha256="


def signature(body: bytes, secret: str) -> str:
    """What the header says of the body.

    >>> signature(b"Hello, World!", "It's a Secret to Everybody")[:23]  # GitHub's own example
    'sha256=757107ea0eb2509f'
    """
    return PREFIX + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(body: bytes, header: str, secrets: Sequence[str]) -> bool:
    """Whether the body, as it came, was signed with one of the secrets; with none, it was not.

    Two are valid while one takes the other's place. All are compared, in constant time.
    """
    told = header.encode("utf-8", "replace")
    matches = [hmac.compare_digest(signature(body, one).encode(), told) for one in secrets]
    return any(matches)
