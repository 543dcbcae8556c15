"""What an unclear comparison is told to wait for."""

from __future__ import annotations

import pytest

from gate.analysis.comparison import Comparison, Finding
from gate.metric import Direction, Margin
from gate.policy.advice import wait


def unclear(**said) -> Comparison:
    usual = {"metric": "errors", "finding": Finding.UNCLEAR, "why": "", "critical": True,
             "unit": "", "worse": Direction.HIGHER, "margin": Margin(1.25, 0.0),
             "baseline": 0.01, "limit": 0.0125, "counted": "requests"}  # fmt: skip
    return Comparison(**{**usual, **said})


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ({"clear_in": 390.0}, "clear in about 7m more at this traffic"),
        ({}, "send the canary more"),
        ({"counted": "pods"}, "more time or more pods"),
        ({"limit": 0.01}, "its margin leaves no room: an equal canary cannot be shown not worse"),
        ({"baseline": 0.0, "limit": 0.0}, "its margin leaves no room"),
    ],
)
def test_it_is_told_what_would_help(said, advice):
    assert advice in wait(unclear(**said))
