"""Gate: promote, hold or roll back? The release gate for progressive delivery.

`from gate import Gate, Request, Outcome, Verdict`: everything a surface does, a program can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gate.decide import Gate as Gate
    from gate.request import Request as Request
    from gate.verdict import Outcome as Outcome
    from gate.verdict import Verdict as Verdict

__version__ = "0.1.0"

_HOMES = {
    "Gate": "gate.decide",
    "Request": "gate.request",
    "Outcome": "gate.verdict",
    "Verdict": "gate.verdict",
}


def __getattr__(name: str) -> Any:
    """The names above, imported when first used: `gate --help` does not pay for the judge."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gate' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
