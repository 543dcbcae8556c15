"""Requests answered by the genuine judge, and a reader that turns one into our judge's input.

`data/judge_cases.json.gz`: requests written for this project; responses computed by the genuine
NetflixACAJudge-v1.0 of Kayenta (2025 head), its noise started from the request's `seed`.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic

from gate.analysis.kayenta.judge import judge
from gate.analysis.kayenta.words import Judgement, MetricPair
from gate.kayenta import Thresholds
from gate.kayenta_config import parse
from gate.series import array

_DATA = json.loads(
    gzip.decompress((Path(__file__).parent / "data/judge_cases.json.gz").read_bytes())
)


class _Values(pydantic.BaseModel):
    control: list[float]
    experiment: list[float]


@dataclass(frozen=True)
class Case:
    label: str
    request: dict[str, Any]
    response: dict[str, Any]

    def __str__(self) -> str:
        return self.label

    @property
    def died(self) -> bool:
        """The genuine judge answered with an exception instead of a judgement."""
        return "exception" in self.response

    def judged(self) -> Judgement:
        request = self.request
        rules = parse(json.dumps(request["canaryConfig"]), self.label).rules
        limits = request["scoreThresholds"]
        pairs = [_pair(one) for one in request["metricSetPairList"]]
        return judge(rules, Thresholds(limits["pass"], limits["marginal"]), pairs, request["seed"])


def _pair(one: dict[str, Any]) -> MetricPair:
    values = _Values.model_validate(one["values"])
    return MetricPair(
        name=one["name"],
        id=one["id"],
        tags=one["tags"],
        control=array(values.control),
        experiment=array(values.experiment),
    )


CASES = [
    *(Case(one["label"], one["request"], one["response"]) for one in _DATA["named"]),
    *(
        Case(f"random {one['request']['seed']}", one["request"], one["response"])
        for one in _DATA["random"]
    ),
]
