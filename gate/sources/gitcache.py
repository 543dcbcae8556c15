"""What git told of a repository's past, kept on this machine so that it is asked only once.

A past belongs to the commit it reaches up to, whose name is a digest of all that came before: one
that is read can be old, never wrong. It is kept by folder all the same, so that no repository reads
another's. Whatever cannot be read is as if it were not there, and what cannot be written is not
kept: a cache never stops a decision.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from gate.risk.level import WINDOW
from gate.sources.githistory import Before, Earlier, Past
from gate.sources.numstat import File

FORMAT = 1  # of the files, and of how they are counted: raise it when either changes
KEPT = 3  # pasts of one folder: what runs, what is about to, and a hotfix
MOST_BYTES = 256 * 2**20  # of all together; a past of 17,000 paths takes about 1 MB
_DIGEST = 64


class GitCache:
    """The pasts of the clone in `folder`, kept in `place`; nothing is made before it is needed."""

    def __init__(self, place: Path, folder: Path) -> None:
        self._place = place
        self._prefix = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]

    def read(self, head: str) -> Past | None:
        """The past up to `head`."""
        found = _read(self._path(head))
        return found if found and found.head == head else None

    def others(self) -> Iterator[Past]:
        """Those up to other commits, the last written first."""
        for path in _newest_first(self._place.glob(f"{self._prefix}-*.json")):
            found = _read(path)
            if found:
                yield found

    def write(self, past: Past) -> None:
        """Kept, whole or not at all; the oldest make room."""
        body = _packed(past)
        if len(body) > MOST_BYTES // 4:
            return
        try:
            self._place.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._path(past.head), hashlib.sha256(body).hexdigest().encode() + body)
            for path in self._surplus():
                path.unlink(missing_ok=True)
        except OSError:
            return

    def _path(self, head: str) -> Path:
        return self._place / f"{self._prefix}-{head}.json"

    def _surplus(self) -> Iterator[Path]:
        yield from _newest_first(self._place.glob(f"{self._prefix}-*.json"))[KEPT:]
        room = MOST_BYTES
        for path in _newest_first(self._place.glob("*.json")):
            room -= path.stat().st_size
            if room < 0:
                yield path


def _newest_first(paths: Iterator[Path]) -> list[Path]:
    try:
        return sorted(paths, key=lambda path: -path.stat().st_mtime_ns)
    except OSError:  # another process made room meanwhile
        return []


def _write(path: Path, body: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> Past | None:
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    body = stored[_DIGEST:]
    if hashlib.sha256(body).hexdigest().encode() != stored[:_DIGEST]:
        return None
    try:
        raw = orjson.loads(body)
        return _unpacked(raw) if raw["format"] == FORMAT else None
    except (KeyError, TypeError, ValueError):
        return None


def _packed(past: Past) -> bytes:
    """As JSON; bytes of paths one by one as letters (Latin-1), for they need not be UTF-8."""
    paths = past.paths or {}
    raw = {
        "format": FORMAT,
        "head": past.head,
        "paths": [path.decode("latin-1") for path in paths],
        "last": [one.last for one in paths.values()],
        "often": [one.often for one in paths.values()],
        "changes": [
            (change.name.decode(), change.time, [_file(*one) for one in _pairs(change)])
            for change in past.changes
        ],
    }
    return orjson.dumps(raw)


def _pairs(change: Earlier) -> Iterator[tuple[File, Before]]:
    return zip(change.files, change.before or (), strict=True)


def _file(file: File, before: Before) -> tuple[Any, ...]:
    return ([path.decode("latin-1") for path in file.paths], file.lines, before.last, before.often)


def _unpacked(raw: Any) -> Past:
    before = map(Before, raw["last"], raw["often"])
    names = (path.encode("latin-1") for path in raw["paths"])
    changes = deque(map(_change, raw["changes"]), maxlen=WINDOW)
    return Past(raw["head"], changes, dict(zip(names, before, strict=True)))


def _change(raw: Any) -> Earlier:
    name, time, files = raw
    return Earlier(
        name.encode(),
        time,
        tuple(
            File(tuple(path.encode("latin-1") for path in paths), lines and tuple(lines))
            for paths, lines, _, _ in files
        ),
        tuple(Before(last, often) for _, _, last, often in files),
    )
