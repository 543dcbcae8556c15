"""A Backstage software catalog: who depends on a component, counted from its entity files.

The form: https://backstage.io/docs/features/software-catalog/descriptor-format (`metadata.name`,
`spec.dependsOn`, `spec.dependencyOf`; references as `[kind:][namespace/]name`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gate.errors import UsageError, did_you_mean
from gate.objectives.manifest import Manifest, manifests
from gate.reading import noted

FILES = ("catalog-info.yaml", "catalog-info.yml")
_PREFIX = "backstage.io/"


def dependents(folder: Path, name: str) -> frozenset[str]:
    """What depends directly on the component `name`, by the catalog files anywhere in the folder.

    Raises UsageError: no such files, one that cannot be read, or no component of that name.
    """
    entities = [one for path in _files(folder) for one in _entities(path)]
    own = _reference(name)
    known = {_own(one) for one in entities}
    if own not in known:
        names = sorted(one.rpartition("/")[2] for one in known if one.startswith("component:"))
        raise UsageError(
            f"{folder}: the catalog has no component {name!r}{did_you_mean(name, names)}",
            f"it has: {', '.join(names) or 'none'}",
        )
    return frozenset(_needing(entities, own) - {own})


def _needing(entities: list[Manifest], own: str) -> set[str]:
    """Those that say they need it, and those it says it is needed by."""
    return {
        who
        for entity in entities
        for who in (
            *([_own(entity)] if own in _listed(entity, "dependsOn") else []),
            *(_listed(entity, "dependencyOf") if _own(entity) == own else []),
        )
    }


def _files(folder: Path) -> Iterator[Path]:
    found = sorted(path for name in FILES for path in folder.rglob(name))
    if not found:
        raise UsageError(f"{folder}: no {FILES[0]} in this folder or under it")
    yield from found


def _entities(path: Path) -> Iterator[Manifest]:
    try:
        text = noted(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    for one in manifests(text, str(path), []):
        if one.version.startswith(_PREFIX):  # what else the file holds is not of the catalog
            if not one.name:
                raise one.refuse((), "the entity has no metadata.name")
            yield one


def _own(entity: Manifest) -> str:
    metadata = entity.data["metadata"]
    return _reference(f"{entity.kind}:{metadata.get('namespace') or 'default'}/{entity.name}")


def _listed(entity: Manifest, key: str) -> list[str]:
    """The references of a list in `spec`; none where there is no such list."""
    spec = entity.data.get("spec")
    listed = spec.get(key) if isinstance(spec, dict) else None
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(one, str) and one for one in listed):
        raise entity.refuse(("spec", key), f"spec.{key}: should be a list of entity references")
    return [_reference(one) for one in listed]


def _reference(text: str) -> str:
    """In full and in small letters, as Backstage compares them.

    >>> _reference("Checkout"), _reference("resource:db"), _reference("API:shop/pay")
    ('component:default/checkout', 'resource:default/db', 'api:shop/pay')
    """
    kind, _, rest = text.lower().rpartition(":")
    space, _, name = rest.rpartition("/")
    return f"{kind or 'component'}:{space or 'default'}/{name}"
