"""The services a server decides about: every service file it was pointed at, with its gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import orjson

from gate.decide import Gate
from gate.document import read
from gate.errors import UsageError
from gate.evidence.source import Source
from gate.service_file import ServiceFile, from_document
from gate.settings import Settings
from gate.sources.breaker import Breaker, Guarded
from gate.wiring import gate as wired


@dataclass(frozen=True, slots=True)
class Served:
    """One service: its file as written, and the gate that decides about it."""

    file: ServiceFile
    gate: Gate


Catalogue = Mapping[str, Served]


def catalogue(
    paths: Sequence[Path], policies: Path | None, settings: Settings, environ: Mapping[str, str]
) -> Catalogue:
    """Every service by name; raises one UsageError with all that is wrong with any file."""
    served: dict[str, Served] = {}
    complaints: list[str] = []
    breakers: dict[bytes, Breaker] = {}
    if not paths:
        complaints.append("no service file is named\n  name files or folders with --services")
    for path in paths:
        try:
            for one in _of(path, policies, settings, environ):
                _add(served, one)
                _guard(one, breakers)
        except UsageError as error:
            complaints.append(str(error))
    if complaints:
        raise UsageError("\n".join(complaints))
    return served


def _add(served: dict[str, Served], one: Served) -> None:
    name = one.gate.service.name
    if name in served:
        first = served[name].file.document.file
        raise UsageError(
            f"{one.file.document.file}: service {name!r} is declared in {first} too", "rename one"
        )
    served[name] = one


def _guard(one: Served, breakers: dict[bytes, Breaker]) -> None:
    """Services that name the same server share what is known of its being down."""
    guarded: dict[str, Source] = {}
    for name, source in one.gate.sources.items():
        said = {"folder": str(one.file.folder), **one.file.sources[name]}
        if "url" in said:
            del said["folder"]  # where a file lies matters to what is named by a path
        key = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        breaker = breakers.setdefault(key, Breaker())
        guarded[name] = cast("Source", Guarded(source, breaker))
    one.gate.sources = guarded


def _of(
    path: Path, policies: Path | None, settings: Settings, environ: Mapping[str, str]
) -> Iterator[Served]:
    """The services of a file or folder; all complaints about a folder come together."""
    complaints: list[str] = []
    files = _files(path)
    for file in files:
        try:
            document = read(file, "name service files or their folder with --services")
            if len(files) > 1 and _is_policy(document.data):
                continue  # policies may lie beside the services that name them
            yield _served(from_document(document), policies, settings, environ)
        except UsageError as error:
            complaints.append(str(error))
    if complaints:
        raise UsageError("\n".join(complaints))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    # Hidden files are what editors and mounted ConfigMaps (`..data`) put there.
    found = sorted(
        one
        for pattern in ("*.yaml", "*.yml")
        for one in path.glob(pattern)
        if not one.name.startswith(".")
    )
    if not found:
        raise UsageError(f"{path}: no service file is here", "they end in .yaml or .yml")
    return found


def _is_policy(data: object) -> bool:
    return isinstance(data, Mapping) and data.get("kind") == "ReleasePolicy"


def _served(
    file: ServiceFile, policies: Path | None, settings: Settings, environ: Mapping[str, str]
) -> Served:
    """With the policy of that name in the folder of policies, where there is one."""
    own = policies / f"{file.service.policy}.yaml" if policies else None
    override = str(own) if own is not None and own.is_file() else None
    return Served(file, wired(file, settings, environ, override))
