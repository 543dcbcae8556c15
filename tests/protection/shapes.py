"""GitHub's own schemas: what it sends and takes, filled in and checked by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs

WHOLE = json.loads((Path(__file__).parent / "github-schemas.json").read_text())
SCALARS: dict[str, Any] = {
    "string": "x", "integer": 1, "number": 1.0, "boolean": False, "array": [], "null": None,
}  # fmt: skip
FORMATS = {"uri": "https://example.org/", "date-time": "2026-11-02T10:00:00Z"}


def check(name: str, body: Any) -> None:
    """Raises where the body is not what GitHub's schema of this name says."""
    schema = {"$ref": f"#/$defs/{name}", "$defs": WHOLE["$defs"]}
    jsonschema_rs.validate(schema, body, validate_formats=True)


def filled(name: str, *, optional: bool = False, **said: Any) -> dict[str, Any]:
    """An object with all that the schema requires (or knows), and what is said."""
    made: dict[str, Any] = _filled({"$ref": f"#/$defs/{name}"}, optional)
    return {**made, **said}


def _filled(schema: Any, optional: bool = False) -> Any:
    while "$ref" in schema:
        schema = WHOLE["$defs"][schema["$ref"].rpartition("/")[2]]
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return _filled(schema[several][0])
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        known = schema.get("properties", {})
        wanted = known if optional else schema.get("required", ())
        return {name: _filled(known[name]) for name in wanted}
    return FORMATS.get(schema.get("format", ""), SCALARS[kind])
