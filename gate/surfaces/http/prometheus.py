"""A verdict where only a Prometheus can be asked: Argo's provider, Flagger's MetricTemplate.

`gate_verdict{service="shop",canary="7d4b9c",baseline="5f8c2a"}` is 1 for promote, 0 for hold and
-1 for rollback; no verdict is no series, which both clients take for a failed measurement.
`vector(1)` is how Flagger asks whether anybody is there. `release` tells one rollout from the next
where the canary keeps its name, as with Flagger.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from gate.surfaces.http.answers import answer
from gate.surfaces.http.asking import Question
from gate.surfaces.http.auth import caller, served
from gate.surfaces.http.bodies import within
from gate.surfaces.http.server import server
from gate.surfaces.http.tokens import Verb, holds_token
from gate.verdict import Outcome

PROMETHEUS = Blueprint("prometheus", __name__)

CLIENT_WAITS = 5.0  # Flagger's; Argo waits for 30
VALUES = {Outcome.PROMOTE: "1", Outcome.HOLD: "0", Outcome.ROLLBACK: "-1"}
NEEDED = ("service", "canary")
LABELS = (*NEEDED, "baseline", "namespace", "release", "step")

_QUERY = re.compile(r"\s*gate_verdict\s*\{(.*)\}\s*", re.DOTALL)
_LABEL = re.compile(r'\s*([a-z]+)\s*=\s*"([^"\\]{0,253})"\s*')


@PROMETHEUS.route("/api/v1/query", methods=["GET", "POST"])
def query() -> Response:
    """An instant vector of one sample, or of none."""
    who = caller(Verb.ASK)
    text = request.values.get("query", "")
    now = server().clock()
    if text.replace(" ", "") == "vector(1)":
        return _vector([{"metric": {}, "value": [now, "1"]}])
    labels = _labels(text)
    if isinstance(labels, str):
        return answer({"status": "error", "errorType": "bad_data", "error": labels}, 400)
    served(who, labels["service"])
    decision = server().asking.ask(Question(**labels), within(CLIENT_WAITS))  # type: ignore[arg-type]
    if decision is None:
        return _vector([])
    metric = {"__name__": "gate_verdict", **labels}
    return _vector([{"metric": metric, "value": [now, VALUES[decision.verdict.binding]]}])


def _vector(result: list[dict[str, object]]) -> Response:
    return answer({"status": "success", "data": {"resultType": "vector", "result": result}})


def _labels(text: str) -> dict[str, str] | str:
    """The labels asked for, or what is wrong with the query."""
    match = _QUERY.fullmatch(text)
    if match is None or holds_token(text):
        return f"ask for gate_verdict{{{', '.join(f'{one}=...' for one in LABELS)}}}, or vector(1)"
    found: dict[str, str] = {}
    for part in match[1].split(","):
        label = _LABEL.fullmatch(part)
        if label is None or label[1] not in LABELS or label[1] in found:
            return f'each label once, as name="value", of: {", ".join(LABELS)}'
        found[label[1]] = label[2]
    missing = [name for name in NEEDED if not found.get(name)]
    return f"missing: {', '.join(missing)}" if missing else found
