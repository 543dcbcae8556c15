"""Facts for people: `budget.remaining = 0.6`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gate.policy.words import Value

NOT_KNOWN = "not known"


def value(known: Value | None) -> str:
    """A value as it is written in a file of facts; None is not known.

    >>> value(("errors", "latency p99")), value(True), value(0.25), value(None)
    ('[errors, latency p99]', 'true', '0.25', 'not known')
    """
    if known is None:
        return NOT_KNOWN
    if isinstance(known, tuple):
        return f"[{', '.join(known)}]"
    if isinstance(known, Mapping):
        return f"{{{', '.join(f'{key}: {text}' for key, text in sorted(known.items()))}}}"
    if isinstance(known, float):
        return f"{known:.10g}"
    return known if isinstance(known, str) else json.dumps(known)


def listed(facts: Mapping[str, Any]) -> str:
    """Several, on one line."""
    return ", ".join(f"{word} = {value(known)}" for word, known in facts.items())
