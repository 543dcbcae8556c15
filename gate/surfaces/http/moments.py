"""Moments as clients write them: `2026-11-02T11:00:00Z`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from flask import request
from pydantic import BeforeValidator, WithJsonSchema

from gate.surfaces.http.answers import Refusal


def unix(text: Any) -> float:
    """Unix seconds; raises ValueError for what is no moment since 1970 with a time zone."""
    try:
        moment = datetime.fromisoformat(text)
        seconds = moment.timestamp() if moment.tzinfo else -1.0
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if seconds < 0:
        raise ValueError("no moment since 1970 with a time zone: write 2026-11-02T11:00:00Z")
    return seconds


Moment = Annotated[
    float, BeforeValidator(unix), WithJsonSchema({"type": "string", "format": "date-time"})
]


def moment_argument(name: str) -> float | None:
    """Unix seconds from the query string; Refusal 400."""
    told = request.args.get(name)
    try:
        return None if told is None else unix(told)
    except ValueError:
        raise Refusal(400, f"{name} is no moment", "write 2026-11-02T11:00:00Z") from None
