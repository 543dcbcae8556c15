"""OpenMetrics and the Prometheus text format, with a timestamp on every sample.

A text with the line `# EOF` is OpenMetrics, and its times are seconds; without it, Prometheus',
and milliseconds. Exemplars and comments are passed over. Own code because a file of many moments
is not an exposition in the strict sense (one moment each), which stricter parsers refuse.

https://prometheus.io/docs/specs/om/open_metrics_spec/
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import re

from gate.sources.recording.recording import Collector, Recorded, number

_SAMPLE = re.compile(
    r"(?P<name>[A-Za-z_:][A-Za-z0-9_:]*)"
    r'(?:[ \t]*\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?'
    r"[ \t]+(?P<value>\S+)"
    r"(?:[ \t]+(?P<time>[^\s#]+))?"
    r"(?P<exemplar>[ \t]+\#[ \t].*)?[ \t]*"
)
_LABEL = re.compile(r'[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(,|$)')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "\\": "\\", '"': '"'}
_END = "# EOF"
_MILLISECONDS = 1e-3


def parse(text: str, file: str) -> tuple[Recorded, ...]:
    """The series of a text; raises MALFORMED naming `file:line`."""
    collector = Collector(f"{file}:{{}}")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    end = lines.index(_END) if _END in lines else None
    if end is not None and any(line.strip() for line in lines[end + 1 :]):
        raise collector.malformed(end + 2, "there is more after # EOF")
    unit = _MILLISECONDS if end is None else 1.0
    for at, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            _add(line, unit, at, collector)
    return collector.series()


def _add(text: str, unit: float, line: int, collector: Collector) -> None:
    sample = _SAMPLE.fullmatch(text)
    if sample is None:
        raise collector.malformed(line, f"not a sample: {text[:80]!r}")
    if sample["time"] is None:
        raise collector.malformed(line, f"{sample['name']} has no timestamp; a recording needs it")
    time = _number(sample["time"], "timestamp", line, collector) * unit
    value = _number(sample["value"], "value", line, collector)
    labels = _labels(sample["labels"] or "", line, collector)
    collector.add(sample["name"], labels, time, value, line)


def _labels(text: str, line: int, collector: Collector) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        found = _LABEL.match(text, at)
        if found is None:
            raise collector.malformed(line, f"not labels: {text[at : at + 40]!r}")
        if found[1] in labels:
            raise collector.malformed(line, f"label {found[1]!r} appears twice")
        labels[found[1]] = _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[0]), found[2])
        at = found.end()
    return {label: value for label, value in labels.items() if value}


def _number(text: str, named: str, line: int, collector: Collector) -> float:
    try:
        return number(text)
    except ValueError:
        raise collector.malformed(line, f"{named} {text!r} is not a number") from None
