"""CSV, one sample a row: `time,name,value` and a column for each label.

    time,name,value,version,code
    2026-11-02T10:01:00Z,http_requests_total,612,v1.9.0,200

`time` is in Unix seconds or RFC 3339 with a zone. An empty value, or NaN, was not seen; an empty
label is an absent one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from gate.sources.recording.recording import Collector, Recorded, number

_COLUMNS = ("time", "name", "value")


def parse(text: str, file: str) -> tuple[Recorded, ...]:
    """The series of a CSV text; raises MALFORMED naming `file:line`."""
    collector = Collector(f"{file}:{{}}")
    rows = _rows(text, collector)
    line, header = next(rows, (1, []))
    _check_header(header, line, collector)
    at = {column: i for i, column in enumerate(header)}
    label_columns = [(column, i) for column, i in at.items() if column not in _COLUMNS]
    for line, row in rows:
        if len(row) != len(header):
            raise collector.malformed(line, f"{len(row)} columns, the header has {len(header)}")
        name = row[at["name"]]
        if not name:
            raise collector.malformed(line, "the name is empty")
        labels = {column: row[i] for column, i in label_columns if row[i]}
        time = _time(row[at["time"]], line, collector)
        collector.add(name, labels, time, _value(row[at["value"]], line, collector), line)
    return collector.series()


def _rows(text: str, collector: Collector) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the line it ends on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise collector.malformed(reader.line_num, f"not CSV: {error}") from None


def _check_header(header: list[str], line: int, collector: Collector) -> None:
    for column in _COLUMNS:
        if column not in header:
            raise collector.malformed(line, f"the header has no column {column!r}")
    if "" in header:
        raise collector.malformed(line, "a column of the header has no name")
    if len(set(header)) < len(header):
        raise collector.malformed(line, "a column of the header appears twice")


def _time(text: str, line: int, collector: Collector) -> float:
    try:
        return number(text)
    except ValueError:
        pass
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise collector.malformed(
            line, f"time {text!r} is neither Unix seconds nor RFC 3339"
        ) from None
    if time.tzinfo is None:
        raise collector.malformed(line, f"time {text!r} has no zone; write it with Z or +01:00")
    return time.timestamp()


def _value(text: str, line: int, collector: Collector) -> float:
    try:
        return number(text or "nan")
    except ValueError:
        raise collector.malformed(line, f"value {text!r} is not a number") from None
