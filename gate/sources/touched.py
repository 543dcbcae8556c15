"""Facts around a change that policies may ask for, and that no score holds: what it touches, whose
that is, and of which types its commits are. Any source that knows the paths tells them alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gate.service import Globs
from gate.sources.owners import owners


@dataclass(frozen=True, slots=True)
class _Kind:
    """Globs of file names, and names of folders anywhere in a path."""

    names: tuple[str, ...]
    folders: tuple[str, ...] = ()


KINDS: Mapping[str, _Kind] = {
    "configuration": _Kind(
        ("*.ini", "*.cfg", "*.conf", "*.properties", "*.toml", ".env*", "*.env"),
        ("config", "conf"),
    ),
    "dependencies": _Kind(
        (
            "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "Pipfile.lock",
            "uv.lock", "pylock*.toml", "requirements*.txt", "constraints*.txt", "Cargo.lock",
            "go.mod", "go.sum", "Gemfile.lock", "composer.lock", "pom.xml", "gradle.lockfile",
            "packages.lock.json", "mix.lock",
        )
    ),
    "infrastructure": _Kind(
        ("*.tf", "*.tfvars", "Dockerfile*", "docker-compose*", "compose.y*ml", "Chart.yaml"),
        ("terraform", "helm", "charts", "k8s", "kubernetes", "kustomize"),
    ),
    "migrations": _Kind(("*.sql",), ("migrations", "migrate", "alembic", "flyway", "liquibase")),
    "pipeline": _Kind((".gitlab-ci.yml", "Jenkinsfile*"), ("workflows", ".circleci")),
}  # fmt: skip

# https://www.conventionalcommits.org/en/v1.0.0/ names feat and fix; the rest is Angular's list, and
# the two that release rules ask for.
TYPES = frozenset(
    [
        "build",
        "chore",
        "ci",
        "docs",
        "feat",
        "fix",
        "perf",
        "refactor",
        "revert",
        "style",
        "test",
        "hotfix",
        "security",
    ]
)
# What a commit is that does not say: among fixes, it keeps a release from being all fixes.
UNTYPED = "untyped"
_CONVENTIONAL = re.compile(r"(\w+)(?:\([^)]*\))?(!?): ")


@dataclass(frozen=True, slots=True)
class Touched:
    """What the paths of a change mean, under the names of `gate.change.Change`."""

    touches: tuple[str, ...]
    components: tuple[str, ...] | None
    owners: tuple[str, ...] | None
    notes: tuple[str, ...] = ()


def touched(paths: Iterable[str], globs: Globs, codeowners: str | None) -> Touched:
    """What the paths mean, where they all are known; `codeowners`, the text of that file if any."""
    known = list(paths)
    own = {name: kind for name, kind in KINDS.items() if name not in globs.kinds}
    kinds = {*touches(known, own), *matching(known, globs.kinds)}
    components = None if globs.components is None else matching(known, globs.components)
    whose = owners(known, codeowners)
    return Touched(tuple(sorted(kinds)), components, whose.names, whose.notes)


def matching(paths: Sequence[str], named: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names under which a glob matches one of the paths."""
    return tuple(sorted(name for name, globs in named.items() if matched(paths, globs)))


def matched(paths: Iterable[str], globs: Sequence[str]) -> set[str]:
    """Those of the paths that a pattern matches, as git matches .gitignore."""
    if not globs:
        return set()
    from pathspec import GitIgnoreSpec  # takes longer to import than most runs to use

    return set(GitIgnoreSpec.from_lines(globs).match_files(paths))


def touches(paths: Iterable[str], kinds: Mapping[str, _Kind] = KINDS) -> tuple[str, ...]:
    """The kinds that any of the paths is of.

    >>> touches(["app/db/migrations/0007_add.py", "uv.lock", "app/models.py"])
    ('dependencies', 'migrations')
    """
    parts = [path.split("/") for path in paths]
    return tuple(name for name, kind in kinds.items() if any(_is(one, kind) for one in parts))


def types(subjects: Iterable[str], *, behind: int = 0) -> tuple[str, ...]:
    """The types of conventional commits, `breaking` among them; of others `untyped`.

    `behind`: how many commits of base are taken back beside them, whatever these were.

    >>> types(["feat(api)!: drop v1", 'Revert "feat: x"', "Tidy up", "wip: y"])
    ('breaking', 'feat', 'revert', 'untyped')
    """
    found = {word for subject in subjects for word in _types(subject)}
    return tuple(sorted(found | ({UNTYPED} if behind else set())))


def _is(parts: list[str], kind: _Kind) -> bool:
    named = any(fnmatchcase(parts[-1], glob) for glob in kind.names)
    return named or not set(kind.folders).isdisjoint(parts[:-1])


def _types(subject: str) -> set[str]:
    if subject.startswith('Revert "'):  # as `git revert` writes it
        return {"revert"}
    found = _CONVENTIONAL.match(subject)
    if not found or found[1].lower() not in TYPES:
        return {UNTYPED}
    return {found[1].lower()} | ({"breaking"} if found[2] else set())
