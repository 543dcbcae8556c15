"""Changed files while the server runs: the new ones in force whole, or the old ones kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gate.errors import GateError
from gate.surfaces.http.catalogue import Catalogue
from gate.surfaces.http.logs import log
from gate.surfaces.http.server import Server
from gate.surfaces.http.tokens import Tokens
from gate.surfaces.protection.app_file import App

EVERY = 10.0  # seconds between two looks at the files

Load = Callable[[], tuple[Catalogue, Tokens | None, App | None]]
Stamp = tuple[tuple[str, int, int], ...]


class Reloading:
    """Loads the files of a server again. `files`: files and folders that are watched."""

    def __init__(self, its: Server, load: Load, files: Sequence[Path]) -> None:
        self._its, self._load, self._files = its, load, tuple(files)
        self._lock = threading.Lock()
        self._stamp = self._stamped()

    def now(self) -> None:
        """Once; a failure is logged with all it says, and changes nothing but `Server.stale`."""
        with self._lock:
            self._stamp = self._stamped()
            try:
                catalogue, tokens, github = self._load()
            except GateError as error:
                self._its.stale = True
                log("files kept", why=str(error))
                return
            self._its.catalogue, self._its.tokens = catalogue, tokens
            self._its.github = github
            self._its.stale = False
            log("files loaded", services=sorted(catalogue))

    def if_changed(self) -> None:
        """The same, where a watched file is another than at the last look."""
        if self._stamped() != self._stamp:
            self.now()

    def watch(self) -> None:
        """Looks from now on, in a thread that ends with the process."""

        def look() -> None:
            while True:
                time.sleep(EVERY)
                self.if_changed()

        threading.Thread(target=look, name="gate-reloading", daemon=True).start()

    def _stamped(self) -> Stamp:
        return tuple(one for path in self._files for one in _stamps(path))


def _stamps(path: Path) -> Iterator[tuple[str, int, int]]:
    """Time and size of a file, or of each in a folder; links of mounted ConfigMaps are followed."""
    try:
        for one in sorted(path.iterdir()) if path.is_dir() else (path,):
            found = one.stat()
            yield str(one), found.st_mtime_ns, found.st_size
    except OSError:  # it is being replaced; the next look tells
        yield str(path), 0, -1
