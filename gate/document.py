"""YAML documents people write, and complaints that name the place.

Why not plain `yaml.safe_load`: it forgets where things stood, lets a second key silently replace
the first, and reads `on`, `1:30` and `2026-11-02` as a boolean, a number and a date. Here every
key and item keeps its line and column, duplicate keys are refused, and scalars follow the YAML 1.2
core schema. Shapes are checked by pydantic, strictly: `true` is no number and `no` no boolean. Its
findings are told in our words, all at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

import pydantic
import yaml
from pydantic_core import PydanticCustomError

from gate import units
from gate.errors import UsageError, did_you_mean
from gate.reading import noted
from gate.template import free_word

Place = tuple[str | int, ...]
Marks = Mapping[Place, tuple[int, int]]
Model = TypeVar("Model", bound=pydantic.BaseModel)

_SHOULD = {
    "bool_type": "should be true or false",
    "model_type": "should be a mapping of keys to values",
    "dict_type": "should be a mapping of keys to values",
    "list_type": "should be a list",
}
# Far beyond what people write. Deeper nesting overflows the C stack of the parser (a crash, no
# error), and aliases of aliases unfold a short text into more than the memory holds.
DEEPEST = 100
MOST_VALUES = 100_000


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where each part of it stands: place -> (line, column), both from 1.

    `marks` point at keys (and list items), `values` at what the keys hold.
    """

    file: str
    text: str = field(repr=False)
    data: Any
    marks: Marks = field(repr=False)
    values: Marks = field(repr=False)

    def where(self, place: Place) -> str:
        """`file:line:column` of the place, or of the nearest thing around it that was written."""
        while place and place not in self.marks:
            place = place[:-1]
        line, column = self.marks.get(place, (1, 1))
        return f"{self.file}:{line}:{column}"

    def inside(self, place: Place, line: int, column: int) -> str:
        """`file:line:column` of a position within the text of a value, both from 1.

        Exact for block texts (`|`) and plain or quoted text on one line; where the text was
        folded or escaped, the start of the value.
        """
        start_line, start_column = self.values.get(place, (1, 1))
        written = self.text.splitlines()
        source = written[start_line - 1][start_column - 1 :]
        told = str(_at(self.data, place)).split("\n")[line - 1]
        below = written[start_line + line - 1] if start_line + line <= len(written) else ""
        if source[:1] == "|" and below.endswith(told):
            return f"{self.file}:{start_line + line}:{len(below) - len(told) + column}"
        quote = 1 if source[:1] in "'\"" else 0
        if line == 1 and source[quote:].startswith(told[: column - 1]):
            start_column += quote + column - 1
        return f"{self.file}:{start_line}:{start_column}"


class Section(pydantic.BaseModel):
    """A mapping in a file: frozen, and refusing keys it does not know by name.

    `elsewhere`: keys that people may look for here, each with where it belongs.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    elsewhere: ClassVar[Mapping[str, str]] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: Any) -> Any:
        known = {info.alias or name for name, info in cls.model_fields.items()}
        if isinstance(data, Mapping) and (unknown := [key for key in data if key not in known]):
            context = {"unknown": unknown, "known": sorted(known), "elsewhere": cls.elsewhere}
            raise PydanticCustomError("unknown_key", "unknown key", context)
        return data


def _from(read: Any) -> pydantic.BeforeValidator:
    """A validator from a reader that raises UsageError."""

    def validate(value: Any) -> Any:
        try:
            return read(value if isinstance(value, str) else json.dumps(value))
        except UsageError as error:
            why = f"{error.message}; {error.hint}" if error.hint else error.message
            raise PydanticCustomError("unit", "{why}", {"why": why}) from None

    return pydantic.BeforeValidator(validate)


Text = Annotated[str, pydantic.Field(min_length=1)]
Name = Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]*$")]
FreeWord = Annotated[str, pydantic.Field(min_length=1), _from(free_word)]
Duration = Annotated[float, _from(units.seconds), pydantic.WithJsonSchema({"type": "string"})]
Share = Annotated[
    float, _from(units.share), pydantic.WithJsonSchema({"type": ["number", "string"]})
]


def _as_written(value: Any) -> Any:
    """Text, or a whole number. `1.10` would become 1.1, so what YAML reads otherwise is refused."""
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise PydanticCustomError("unit", "write the value in quotes, so that it stays as written")


AsWritten = Annotated[str, pydantic.BeforeValidator(_as_written)]


def read(path: Path, hint: str = "") -> Document:
    """The document in a file; raises UsageError for a file that is not there, readable or YAML.

    `hint` says how else to name the file, should there be none.
    """
    return parse(text_of(path, hint), str(path))


def text_of(path: Path, hint: str = "") -> str:
    """The text of a file; raises UsageError for one that is not there, readable or UTF-8."""
    try:
        # Line ends as written: digests are of the file.
        return noted(path).read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file", hint) from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def parse(text: str, file: str) -> Document:
    """The one document in the text; raises UsageError with the position of what is not YAML."""
    return _documents(text, file, lambda loader: [loader.get_single_node()])[0]


def parse_all(text: str, file: str) -> tuple[Document, ...]:
    """All documents in the text, each with its places in the whole; raises as `parse` does."""
    return _documents(text, file, _nodes)


def _nodes(loader: _Loader) -> Iterator[yaml.Node | None]:
    while loader.check_node():
        yield loader.get_node()


def _documents(
    text: str, file: str, nodes: Callable[[_Loader], Iterable[yaml.Node | None]]
) -> tuple[Document, ...]:
    loader = _Loader(text)
    try:
        _refuse_deep(text, file)
        return tuple(_document(loader, node, text, file) for node in nodes(loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise UsageError(f"{where}: not valid YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        before = text[: text.index(chr(error.character))].split("\n")
        where = f"{file}:{len(before)}:{len(before[-1]) + 1}"
        raise UsageError(f"{where}: not valid YAML: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise UsageError(f"{file}: an alias stands inside what it names") from None
    finally:
        loader.dispose()


def _document(loader: _Loader, node: yaml.Node | None, text: str, file: str) -> Document:
    reader = _Reader(loader, file)
    data = None if node is None else reader.value(node, ())
    return Document(file, text, data, reader.marks, reader.values)


def fit(document: Document, model: type[Model], place: Place = (), without: str = "") -> Model:
    """What stands at `place`, as the model; raises UsageError with one line for each complaint.

    `without` names a key of it that somebody else has read.
    """
    data = _at(document.data, place)
    if without:
        data = {key: value for key, value in data.items() if key != without}
    try:
        # By way of JSON: there `strict` still reads a word as the member of an enum.
        return model.model_validate_json(json.dumps(data), strict=True)
    except pydantic.ValidationError as error:
        lines = [line for one in error.errors() for line in _complaints(document, place, one)]
        raise UsageError("\n".join(lines)) from None


def refuse(document: Document, place: Place, message: str, hint: str = "") -> UsageError:
    """A complaint about a place, for checks that a model cannot make."""
    return UsageError(f"{document.where(place)}: {message}", hint)


def _complaints(document: Document, place: Place, error: Any) -> Iterator[str]:
    # pydantic names the tag of a union between the keys; those are not in the file.
    at = _written(document, place, error["loc"])
    context = error.get("ctx", {})
    if error["type"] == "unknown_key":
        known = context["known"]
        for key in context["unknown"]:
            moved = context["elsewhere"].get(key)
            guess = f"; {moved}" if moved else did_you_mean(str(key), known)
            yield (
                f"{document.where((*at, key))}: unknown key {str(key)!r}{guess}\n"
                f"  known here: {', '.join(known)}"
            )
        return
    path = ".".join(str(step) for step in at)
    if error["type"] == "missing":
        yield f"{document.where(at)}: {_dotted(path, error['loc'][-1])} is missing"
        return
    yield f"{document.where(at)}: {path or 'document'}: {_told(error)}"


def _told(error: Any) -> str:
    """One finding of pydantic's in our words."""
    kind, given = error["type"], error["input"]
    if kind == "unit":
        return str(error["msg"])
    if error.get("ctx", {}).get("min_length") == 1:
        return "must not be empty"
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = _SHOULD.get(kind, f"{message[0].lower()}{message[1:]}")
    if given is None or isinstance(given, (str, int, float)):
        message += f", not {_shown(given)}"
    return message


def _shown(value: Any) -> str:
    """As it is written in a file: `true`, not `True`."""
    return repr(value) if isinstance(value, str) else json.dumps(value)


def _at(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def _dotted(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _refuse_deep(text: str, file: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            mark = event.start_mark
            where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
            raise UsageError(f"{where}: nested more than {DEEPEST} levels deep")


def _written(document: Document, place: Place, loc: Place) -> Place:
    at = place
    for step in loc:
        if (*at, step) in document.marks:
            at = (*at, step)
    return at


class _Loader(yaml.CSafeLoader):
    """Resolves plain scalars by the YAML 1.2 core schema."""


_Loader.yaml_implicit_resolvers = {}


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
        list("-+0123456789."),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _float(text: str) -> float:
    return float(text.replace(".", "") if text.endswith(("inf", "nan")) else text)


# Not PyYAML's constructors: they read 010 as eight, and 08 not at all.
_SCALARS: Mapping[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": _bool,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": _float,
    "tag:yaml.org,2002:merge": str,
}
_PLAIN = {*_SCALARS, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}


class _Reader:
    """Turns nodes into plain data and remembers where they stood."""

    def __init__(self, loader: _Loader, file: str) -> None:
        self.marks: dict[Place, tuple[int, int]] = {}
        self.values: dict[Place, tuple[int, int]] = {}
        self._loader = loader
        self._file = file
        self._merged: set[int] = set()
        self._count = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self._count += 1
        if self._count > MOST_VALUES:
            raise UsageError(f"{self._file}: its aliases unfold to more than {MOST_VALUES} values")
        if node.tag not in _PLAIN:
            raise yaml.constructor.ConstructorError(
                None, None, f"the tag {node.tag} is not plain data", node.start_mark
            )
        self.marks.setdefault(place, _mark(node))
        self.values[place] = _mark(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        if id(node) not in self._merged:  # an alias brings the same node again
            self._merged.add(id(node))
            self._refuse_odd_keys(node)
            self._loader.flatten_mapping(node)  # merges `<<`; what is written here wins
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            self.marks[(*place, key.value)] = _mark(key)
            mapping[key.value] = self.value(value, (*place, key.value))
        return mapping

    def _refuse_odd_keys(self, node: yaml.MappingNode) -> None:
        seen = set()
        for key, _ in node.value:
            line, column = _mark(key)
            where = f"{self._file}:{line}:{column}"
            if not isinstance(key, yaml.ScalarNode):
                raise UsageError(f"{where}: a key must be plain text")
            if key.value in seen:
                raise UsageError(f"{where}: key {key.value!r} is written twice")
            seen.add(key.value)

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return _SCALARS[node.tag](node.value)
        except ValueError:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"{node.value[:40]!r} cannot be read as {kind}", node.start_mark
            ) from None


def _mark(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
