"""Settings and files to a gate: the only module that names concrete parts.

A source's kind is a word of `SOURCES`, a `package.module:Class` of a stranger's, or the name of an
entry point in the group `gate.sources`; all three are opened by the same `SourceKind` contract.
Parts are imported when a file names them: a run without Prometheus does not pay for requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from gate.decide import Gate
from gate.document import fit, refuse
from gate.errors import UsageError, did_you_mean
from gate.evidence.source import Source, Surroundings
from gate.ledger.ledger import Ledger
from gate.policy.load import named
from gate.policy.policy import Policy
from gate.service_file import ServiceFile
from gate.settings import Settings

SOURCES: Mapping[str, str] = {
    "prometheus": "gate.sources.prometheus:Prometheus",
    "file": "gate.sources.file:FileSource",
    "git": "gate.sources.git:Git",
    "github": "gate.sources.github.github:GitHub",
}
ENTRY_POINTS = "gate.sources"


def gate(
    file: ServiceFile, settings: Settings, environ: Mapping[str, str], policy: str | None = None
) -> Gate:
    """A gate for the service of the file; `policy` overrides the file's. Raises UsageError."""
    return Gate(
        service=file.service,
        policy=policy_of(file, policy),
        sources=sources(file, environ, settings.cache),
        ledger=ledger(settings),
        within=settings.timeout,
    )


def policy_of(file: ServiceFile, override: str | None = None) -> Policy:
    """The policy that decides: the override (a path from here), or the file's (from its folder)."""
    if override:
        return named(override, Path()).policy
    try:
        return named(file.service.policy, file.folder).policy
    except UsageError as error:
        if "policy" not in file.document.data:
            raise
        raise refuse(file.document, ("policy",), error.message, error.hint) from None


def policy_named(name: str) -> Policy:
    """A policy by its path from here, or a shipped one by its name; raises UsageError."""
    return named(name, Path()).policy


def ledger(settings: Settings) -> Ledger:
    """The ledger of these settings; nothing is opened yet."""
    from gate.ledger.sqlite import SqliteLedger

    return SqliteLedger(settings.ledger)


def sources(
    file: ServiceFile, environ: Mapping[str, str], cache: Path | None = None
) -> dict[str, Source]:
    """The sources the file names, opened but not yet asked; `cache` as in `Surroundings`."""
    surroundings = Surroundings(file.folder, environ, cache)
    return {name: _source(file, name, surroundings) for name in file.sources}


def _source(file: ServiceFile, name: str, surroundings: Surroundings) -> Source:
    kind = file.sources[name].get("kind")
    place = ("sources", name)
    if not isinstance(kind, str):
        raise refuse(
            file.document, place, f"source {name!r} has no kind", f"one of: {', '.join(SOURCES)}"
        )
    try:
        part = _part(kind)
    except UsageError as error:
        raise refuse(file.document, (*place, "kind"), error.message, error.hint) from None
    spec = fit(file.document, part.Spec, place, without="kind")
    source: Source = part.open(spec, surroundings)
    return source


def _part(kind: str) -> Any:
    """The class behind a kind, from our table, an entry point, or its own path."""
    path = SOURCES.get(kind) or (kind if ":" in kind else None)
    if path is None:
        points = metadata.entry_points(group=ENTRY_POINTS)
        if kind not in points.names:
            known = sorted({*SOURCES, *points.names})
            raise UsageError(
                f"unknown kind of source {kind!r}{did_you_mean(kind, known)}",
                f"known: {', '.join(known)}, or package.module:Class",
            )
        path = points[kind].value
    module, _, name = path.partition(":")
    try:
        part = getattr(import_module(module), name)
    except Exception as error:  # noqa: BLE001  a stranger's module may raise anything
        raise UsageError(f"source kind {kind!r} cannot be loaded: {error}") from None
    if not hasattr(part, "Spec") or not hasattr(part, "open"):
        raise UsageError(f"{kind!r} is no kind of source", "it needs a `Spec` and an `open`")
    return part
