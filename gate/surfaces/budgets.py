"""The objectives of a service by themselves, with no canary in sight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from gate.evidence.evidence import Evidence
from gate.evidence.gather import gather
from gate.evidence.source import Source
from gate.request import Request
from gate.service import Service


def of_objectives(
    service: Service,
    sources: Mapping[str, Source],
    moment: float,
    within: float,
    variables: Mapping[str, str],
) -> Evidence:
    """What the sources tell of its objectives alone, as of the moment (Unix seconds).

    Raises UsageError as `gather` does.
    """
    alone = replace(service, metrics=(), change=None)
    return gather(_request(service, moment, variables), alone, sources, within)


def _request(service: Service, moment: float, variables: Mapping[str, str]) -> Request:
    """About no canary, as of the last whole interval: its window is empty and ends there."""
    end = math.floor((moment - service.lag) / service.step) * service.step
    return Request(
        service=service.name, canary="", baseline="", as_of=end + service.lag, since=service.lag,
        variables=variables,
    )  # fmt: skip
