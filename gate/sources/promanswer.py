"""What a Prometheus-compatible server answers, read strictly: grids, masks and histograms.

Why: the answer of the HTTP API is loosely typed (numbers are strings, four result types, missing
points are missing timestamps, warnings come with status 200), and a gate that reads it leniently
promotes on half an answer. Everything unexpected here is a `SourceError`, never a guess. The
format is described at https://prometheus.io/docs/prometheus/latest/querying/api/.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.series import Array, array

Mask = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

# Servers compute in whole milliseconds; a time further from the grid was not asked for.
OFF_GRID = 0.002
# The evaluation time of an instant answer, in seconds; rounding to whole seconds is forgiven.
OFF_INSTANT = 1.0


@dataclass(frozen=True, slots=True)
class Histogram:
    """A native histogram: `buckets` are (left, right, count), empty ones absent."""

    count: float
    sum: float
    buckets: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One series at one moment; `value` is NaN where the answer is a histogram."""

    labels: Mapping[str, str]
    value: float
    histogram: Histogram | None = None


@dataclass(frozen=True, slots=True)
class Vector:
    """The answer to an instant query; a scalar is one point without labels."""

    at: float
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series over the asked times, shapes (n,).

    `values` is NaN where the server gave no number; `seen` tells an absent timestamp (False) from
    one whose value is the number NaN (True). `histograms` by index into the times.
    """

    labels: Mapping[str, str]
    values: Array
    seen: Mask
    histograms: Mapping[int, Histogram] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The answer to a range query; `times` in Unix seconds, shape (n,), exactly as asked."""

    times: Array
    lines: tuple[Line, ...]


def malformed(text: str) -> SourceError:
    """The server answered something that cannot be trusted."""
    return SourceError(Cause.MALFORMED, text)


def read_vector(body: object, at: float) -> Vector:
    """The points of an instant answer, evaluated `at`; raises SourceError."""
    kind, result = _result(body)
    if kind == "scalar":
        return Vector(at, (Point({}, _number_at(result, at)),))
    if kind != "vector":
        raise malformed(f"a {kind} was answered where a vector was expected")
    points = tuple(_point(_object(item), at) for item in _list(result))
    _refuse_twins(point.labels for point in points)
    return Vector(at, points)


def read_matrix(body: object, times: Array) -> Matrix:
    """The lines of a range answer on the grid `times`; raises SourceError."""
    kind, result = _result(body)
    if kind != "matrix":
        raise malformed(f"a {kind} was answered where a matrix was expected")
    lines = tuple(_line(_object(item), times) for item in _list(result))
    _refuse_twins(line.labels for line in lines)
    return Matrix(times, lines)


def joined(parts: list[Matrix]) -> Matrix:
    """One matrix of answers to consecutive, non-overlapping pieces of a range."""
    if len(parts) == 1:
        return parts[0]
    keys = {_key(line.labels): line.labels for part in parts for line in part.lines}
    times = array(np.concatenate([part.times for part in parts]))
    return Matrix(times, tuple(_joined_line(labels, key, parts) for key, labels in keys.items()))


def series_in(body: object) -> int:
    """How many series an answer carries, counted before any of them is read."""
    _, result = _result(body)
    return len(result) if isinstance(result, list) else 1


def _result(body: object) -> tuple[str, object]:
    answer = _object(body)
    if answer.get("status") != "success":
        raise malformed(f"status is {answer.get('status')!r}, not 'success'")
    if answer.get("isPartial"):
        raise SourceError(Cause.PARTIAL, "the server says that its answer is partial (isPartial)")
    if warnings := answer.get("warnings"):
        said = warnings if isinstance(warnings, list) else [warnings]
        raise SourceError(Cause.PARTIAL, f"the server warns: {'; '.join(map(str, said))}")
    data = _object(answer.get("data"))
    kind = str(data.get("resultType"))
    if kind not in {"vector", "matrix", "scalar", "string"} or "result" not in data:
        raise malformed(f"no result of a known type in the answer (resultType {kind!r})")
    return kind, data["result"]


def _point(item: Mapping[str, object], at: float) -> Point:
    labels = _labels(item)
    if "value" in item:
        return Point(labels, _number_at(item["value"], at))
    if "histogram" in item:
        time, body = _timed(item["histogram"])
        _refuse_other_time(time, at)
        return Point(labels, math.nan, _histogram(_object(body)))
    raise malformed("a series has neither value nor histogram")


def _line(item: Mapping[str, object], times: Array) -> Line:
    if "values" not in item and "histograms" not in item:
        raise malformed("a series has neither values nor histograms")
    values = np.full(len(times), math.nan)
    seen = np.zeros(len(times), dtype=np.bool_)
    for index, body in _placed(item.get("values", []), times):
        values[index], seen[index] = _number(body), True
    histograms = {
        index: _histogram(_object(body))
        for index, body in _placed(item.get("histograms", []), times)
    }
    return Line(_labels(item), array(values), seen, histograms)


def _placed(pairs: object, times: Array) -> Iterable[tuple[int, object]]:
    """Each [time, body] with its place on the grid; a time off the grid or twice is refused."""
    previous, grid = -1, times.tolist()
    for pair in _list(pairs):
        time, body = _timed(pair)
        index = bisect_left(grid, time - OFF_GRID)
        if index == len(grid) or abs(grid[index] - time) > OFF_GRID:
            raise malformed(
                f"a value at {time} was answered, a time that was not asked for"
                " (a server or cache that moves the range; VictoriaMetrics needs nocache=1)"
            )
        if index <= previous:
            raise malformed(f"the times of a series do not ascend at {time}")
        previous = index
        yield index, body


def _number_at(pair: object, at: float) -> float:
    time, body = _timed(pair)
    _refuse_other_time(time, at)
    return _number(body)


def _refuse_other_time(time: float, at: float) -> None:
    if abs(time - at) > OFF_INSTANT:
        raise malformed(f"asked about the moment {at}, answered about {time}")


def _timed(pair: object) -> tuple[float, object]:
    match pair:
        case [int() | float() as time, body] if not isinstance(time, bool):
            return float(time), body
    raise malformed(f"expected [time, value], got {str(pair)[:80]}")


def _number(text: object) -> float:
    """A sample value: a string such as '0.5', 'NaN', '+Inf', '1e+06'."""
    if not isinstance(text, str) or "_" in text:
        raise malformed(f"a number must be a string, got {str(text)[:80]!r}")
    try:
        return float(text)
    except ValueError:
        raise malformed(f"not a number: {text[:80]!r}") from None


def _histogram(body: Mapping[str, object]) -> Histogram:
    buckets = tuple(_bucket(item) for item in _list(body.get("buckets", [])))
    return Histogram(_number(body.get("count")), _number(body.get("sum")), buckets)


def _bucket(item: object) -> tuple[float, float, float]:
    match item:
        case [0 | 1 | 2 | 3, left, right, count]:
            return _ordered(_number(left), _number(right), _number(count))
    raise malformed(f"not a histogram bucket: {str(item)[:80]}")


def _ordered(left: float, right: float, count: float) -> tuple[float, float, float]:
    if not left <= right:
        raise malformed(f"a histogram bucket ends before it starts: {left} to {right}")
    return left, right, count


def _labels(item: Mapping[str, object]) -> Mapping[str, str]:
    labels = _object(item.get("metric"))
    if not all(isinstance(value, str) for value in labels.values()):
        raise malformed("a label value is not a string")
    return cast("Mapping[str, str]", labels)


def _key(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())


def _refuse_twins(all_labels: Iterable[Mapping[str, str]]) -> None:
    seen = set()
    for labels in all_labels:
        if _key(labels) in seen:
            raise malformed(f"the series {dict(labels)} was answered twice")
        seen.add(_key(labels))


def _joined_line(
    labels: Mapping[str, str], key: frozenset[tuple[str, str]], parts: list[Matrix]
) -> Line:
    found = [next((one for one in part.lines if _key(one.labels) == key), None) for part in parts]
    filled = [
        line or Line(labels, np.full(n, math.nan), np.zeros(n, dtype=np.bool_))
        for line, n in zip(found, (len(part.times) for part in parts), strict=True)
    ]
    starts = np.cumsum([0] + [len(part.times) for part in parts[:-1]])
    histograms = {
        int(start) + index: histogram
        for start, line in zip(starts, filled, strict=True)
        for index, histogram in line.histograms.items()
    }
    values = array(np.concatenate([line.values for line in filled]))
    return Line(labels, values, np.concatenate([line.seen for line in filled]), histograms)


def _object(body: object) -> Mapping[str, object]:
    if not isinstance(body, dict):
        raise malformed(f"expected a JSON object, got {str(body)[:80]!r}")
    return body


def _list(body: object) -> list[object]:
    if not isinstance(body, list):
        raise malformed(f"expected a JSON list, got {str(body)[:80]!r}")
    return body
