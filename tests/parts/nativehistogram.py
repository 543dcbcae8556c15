"""An exporter of one native histogram, encoded by hand: no Python library can write them yet.

The format: https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
(a MetricFamily, preceded by its length).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.parts.loopback import Loopback, Quiet, serving

PROTOBUF = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)
HISTOGRAM = 4


@contextmanager
def native_exporter(name: str, schema: int, first: int, counts: list[int]) -> Iterator[str]:
    """`host:port` of an exporter of a histogram with `counts` in neighbouring buckets.

    Bucket i of schema s covers (2^((i-1)/2^s), 2^(i/2^s)]; the first of `counts` has index `first`.
    """
    body = family(name, schema, first, counts)

    class Handler(Quiet):
        def reply(self, form: str) -> None:
            self.send(200, PROTOBUF, body)

    http = Loopback(Handler)
    with serving(http):
        yield http.url.removeprefix("http://")


def family(name: str, schema: int, first: int, counts: list[int]) -> bytes:
    """The delimited MetricFamily."""
    deltas = [now - before for before, now in zip([0, *counts], counts, strict=False)]
    span = _number(1, _zigzag(first)) + _number(2, len(counts))
    histogram = (
        _number(1, sum(counts))
        + _double(2, float(sum(counts)))
        + _number(5, _zigzag(schema))
        + _double(6, 1e-9)
        + _bytes(12, span)
        + _bytes(13, b"".join(_varint(_zigzag(delta)) for delta in deltas))
    )
    metric = _bytes(7, histogram)
    whole = _bytes(1, name.encode()) + _number(3, HISTOGRAM) + _bytes(4, metric)
    return _varint(len(whole)) + whole


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value
