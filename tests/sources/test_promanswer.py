"""Reading answers: whatever JSON comes, it is either read exactly or refused."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st

from gate.evidence.source import SourceError
from gate.series import array
from gate.sources.promanswer import read_matrix, read_vector

T0 = 1_700_000_040.0
GRID = array([T0, T0 + 60, T0 + 120])

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["1", "NaN", "+Inf", "success", "matrix", "", "x"])
    | st.sampled_from([T0, T0 + 60, T0 + 120])
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["status", "data", "result", "metric", "value", "values", "histograms"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def answer(kind, result) -> object:
    return {"status": "success", "data": {"resultType": kind, "result": result}}


def read(body: object) -> None:
    """Both readers, after the trip through JSON that every answer makes."""
    arrived = orjson.loads(orjson.dumps(body))
    for reader, asked in ((read_matrix, GRID), (read_vector, T0)):
        with contextlib.suppress(SourceError):
            reader(arrived, asked)


@given(anything)
def test_no_json_at_all_breaks_the_reader(body):
    read(body)


@given(anything, anything, st.sampled_from(["matrix", "vector", "scalar"]))
def test_nothing_inside_a_well_formed_answer_breaks_it(result, labels, kind):
    read(answer(kind, result))
    for key in ("value", "values", "histogram", "histograms"):
        read(answer(kind, [{"metric": {}, key: result}]))
        read(answer(kind, [{"metric": labels, key: [T0, "1"]}]))
    read(answer(result, []))
    body = {"count": "1", "sum": "1", "buckets": [result]}
    read(answer("matrix", [{"metric": {}, "histograms": [[T0, body]]}]))


@given(st.lists(st.none() | st.floats(), min_size=3, max_size=3))
def test_what_was_sent_is_what_is_read_point_for_point(points):
    sent = [[at, repr(x)] for at, x in zip(GRID.tolist(), points, strict=True) if x is not None]
    body = json.loads(json.dumps(answer("matrix", [{"metric": {}, "values": sent}])))
    (line,) = read_matrix(body, GRID).lines
    assert line.seen.tolist() == [x is not None for x in points]
    assert np.array_equal(line.values, array(points), equal_nan=True)
