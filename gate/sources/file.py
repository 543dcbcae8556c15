"""A recorded file as a source: what was seen once, asked again. For replays, tests and examples.

Queries are selectors (`http_requests_total{ {{selector}},code=~"5.." }`), not expressions: what
PromQL would compute from several series, the file holds, or the kind of the metric does (events
are summed over the matched series, buckets by `le`).
"""

from __future__ import annotations

import threading
from enum import StrEnum
from pathlib import Path

from gate.change import Change
from gate.document import Section
from gate.evidence.evidence import Cause, Pair
from gate.evidence.source import Asked, SourceError, Surroundings
from gate.metric import Metric
from gate.reading import noted
from gate.service import ChangeRange
from gate.slo import Indicator, Slo
from gate.sources.recording import arms, columnar, exposition, objectives, tidy
from gate.sources.recording.recording import Recording

# A recording is read as a whole; beyond this it belongs in a time series database.
LARGEST_FILE = 256 * 2**20


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON = "json"
    OPENMETRICS = "openmetrics"


class Counters(StrEnum):
    """Whether a counter's value is what happened since the value before, or since its start."""

    PER_INTERVAL = "per-interval"
    CUMULATIVE = "cumulative"


_FORMATS = {
    ".csv": Format.CSV,
    ".json": Format.JSON,
    ".om": Format.OPENMETRICS,
    ".prom": Format.OPENMETRICS,
    ".txt": Format.OPENMETRICS,
}


class FileSpec(Section):
    """Which file, relative to the service file's folder, and how it is written.

    `format` is told from the suffix where it is not given. `counters` are per interval in CSV
    and JSON, and cumulative in OpenMetrics, where not said otherwise.
    """

    path: str
    format: Format | None = None
    counters: Counters | None = None


class FileSource:
    """Answers from one file, read when first asked.

    Parameters: `spec`; `base`, the folder that `spec.path` is relative to. May be asked from
    several threads. A file that could not be read is tried again at the next question.
    """

    Spec = FileSpec

    @classmethod
    def open(cls, spec: FileSpec, surroundings: Surroundings) -> FileSource:
        noted(surroundings.folder / spec.path)  # it is read, once, when it is asked
        return cls(spec, surroundings.folder)

    def __init__(self, spec: FileSpec, base: Path) -> None:
        self._spec = spec
        self._base = base
        self._reading = threading.Lock()
        self._recording: Recording | None = None

    def pair(self, metric: Metric, asked: Asked) -> Pair:
        return arms.pair(self._read(), metric, asked, cumulative=self._cumulative())

    def indicators(self, slo: Slo, asked: Asked) -> tuple[Indicator, ...]:
        recording = self._read()
        if slo.queries is None:
            return objectives.recorded(recording, slo)
        return objectives.measured(recording, slo, asked, cumulative=self._cumulative())

    def change(self, wanted: ChangeRange, asked: Asked) -> Change:
        """The change recorded for the canary; the range is what it was when it was recorded."""
        del wanted
        changes = self._read().changes
        found = changes.get(asked.request.canary) or changes.get(None)
        if found is None:
            raise SourceError(
                Cause.EMPTY, f"{self._spec.path}: no change of {asked.request.canary!r} is recorded"
            )
        return found

    def reach(self, deadline: float) -> None:
        """SourceError where the file cannot be read."""
        del deadline
        self._read()

    def _read(self) -> Recording:
        with self._reading:
            if self._recording is None:
                parse = _PARSERS[self._format()]
                self._recording = parse(_text(self._base, self._spec.path), self._spec.path)
            return self._recording

    def _cumulative(self) -> bool:
        if self._spec.counters is None:
            return self._format() is Format.OPENMETRICS
        return self._spec.counters is Counters.CUMULATIVE

    def _format(self) -> Format:
        suffix = Path(self._spec.path).suffix.lower()
        found = self._spec.format or _FORMATS.get(suffix)
        if found is None:
            raise SourceError(
                Cause.BAD_QUERY,
                f"{self._spec.path}: the format is not known from the suffix {suffix!r}; "
                f"give format: {', '.join(Format)}",
            )
        return found


def _tidy(text: str, file: str) -> Recording:
    return Recording(file=file, series=tidy.parse(text, file))


def _exposition(text: str, file: str) -> Recording:
    return Recording(file=file, series=exposition.parse(text, file))


_PARSERS = {
    Format.CSV: _tidy,
    Format.JSON: columnar.parse,
    Format.OPENMETRICS: _exposition,
}


def _text(base: Path, path: str) -> str:
    full = base / path
    try:
        if not full.is_file():
            why = "is not a file" if full.exists() else "no such file"
            raise SourceError(Cause.UNREACHABLE, f"{path}: {why} in {base}")
        with full.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SourceError(Cause.UNREACHABLE, f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FILE:
        raise SourceError(Cause.TOO_LARGE, f"{path}: larger than {LARGEST_FILE >> 20} MiB")
    return _decoded(content, path)


def _decoded(content: bytes, path: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(Cause.MALFORMED, f"{path}:{line}: not UTF-8 text") from None
