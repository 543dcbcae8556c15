"""Changed files while the server runs: the new ones in force whole, or the old ones kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from gate.errors import GateError
from gate.reading import noting
from gate.surfaces.http.logs import log
from gate.surfaces.http.server import Parts, Server

EVERY = 10.0  # seconds between two looks at the files

Load = Callable[[], Parts]
Stamp = tuple[tuple[str, int, int], ...]  # of a file, or of each in a folder


class Reloading:
    """Loads the files of a server again.

    Watched are `files`, which may be folders, and all that was read for the server: policies that
    others extend, objectives, calendars, recordings.
    """

    def __init__(self, its: Server, load: Load, files: Sequence[Path]) -> None:
        self._its, self._load, self._files = its, load, tuple(files)
        self._lock = threading.Lock()
        self._stamp = self._stamped()

    def now(self) -> None:
        """Once; a failure is logged with all it says, and changes nothing but `Server.stale`."""
        with self._lock:
            before = self._stamped()
            self._its.stale = not self._loaded()
            # What changed while it was read is another than `before`, and so read again.
            self._stamp = {path: before.get(path, now) for path, now in self._stamped().items()}

    def _loaded(self) -> bool:
        with noting() as files:
            try:
                read = self._load()
            except GateError as error:
                # It may have broken off before it came to a file that is in force.
                self._its.files |= files
                log("files kept", why=str(error))
                return False
        self._its.catalogue, self._its.tokens = read.catalogue, read.tokens
        self._its.github, self._its.files = read.github, read.files
        log("files loaded", services=sorted(read.catalogue))
        return True

    def if_changed(self) -> None:
        """The same, where a watched file is another than at the last look."""
        if self._stamped() != self._stamp:
            self.now()

    def soon(self) -> None:
        """`now`, in a thread: for a signal, which must not wait."""
        threading.Thread(target=self.now, daemon=True).start()

    def watch(self) -> None:
        """Looks from now on, in a thread that ends with the process."""

        def look() -> None:
            while True:
                time.sleep(EVERY)
                self.if_changed()

        threading.Thread(target=look, name="gate-reloading", daemon=True).start()

    def _stamped(self) -> Mapping[Path, Stamp]:
        return {path: tuple(_stamps(path)) for path in {*self._files, *self._its.files}}


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    """Time and size of a file, or of each in a folder; links of mounted ConfigMaps are followed."""
    try:
        for one in sorted(path.iterdir()) if path.is_dir() else (path,):
            found = one.stat()
            yield str(one), found.st_mtime_ns, found.st_size
    except OSError:  # it is being replaced; the next look tells
        yield str(path), 0, -1
