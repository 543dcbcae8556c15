"""One repository on GitHub, asked by one deadline: single objects and lists, typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import quote

import orjson
from github3.exceptions import GitHubException
from github3.structs import GitHubIterator
from pydantic import TypeAdapter, ValidationError

from gate.evidence.evidence import Cause
from gate.evidence.source import SourceError
from gate.sources.github.session import BoundedSession, Server
from gate.sources.github.shapes import Shape

PAGE = 100  # entries; the most GitHub gives at once
MOST = 10_000  # entries of one list; no list that is read here is longer

Read = TypeVar("Read", bound=Shape)


class Hub:
    """Asks about the repository `repo` (`owner/name`). Its methods raise SourceError."""

    def __init__(self, server: Server, repo: str, deadline: float) -> None:
        self.repo = repo
        self._session = BoundedSession(server, deadline)
        self._root = f"{server.url}/repos/{repo}"

    def one(self, shape: type[Read], *path: str, **params: str) -> Read:
        """The object at the path under the repository."""
        url = self._url(path)
        response = self._session.get(url, params=params)
        try:
            return shape.model_validate(orjson.loads(response.content))
        except ValueError as error:  # orjson's and pydantic's
            raise _unreadable(url, error) from None

    def many(
        self, shape: type[Read], *path: str, key: str | None = None, **params: str
    ) -> list[Read]:
        """All entries of the list at the path, over its pages; each page holds them under `key`."""
        url = self._url(path)
        given: Mapping[str, str] = {"per_page": str(PAGE), **params}
        return self._list(shape, url, given, MOST, key)

    def newest(self, shape: type[Read], count: int, *path: str, **params: str) -> list[Read]:
        """The first `count` entries, at most a page, of the list at the path."""
        given = {"per_page": str(count), **params}
        return self._list(shape, self._url(path), given, count, None)

    def _list(
        self, shape: type[Read], url: str, given: Mapping[str, str], most: int, key: str | None
    ) -> list[Read]:
        pages = GitHubIterator(most, url, dict, self._session, given, list_key=key)
        try:
            # Through orjson, as it refuses half a surrogate pair, which could not be stored.
            entries = orjson.dumps(list(pages))
            return TypeAdapter(list[shape]).validate_json(entries)  # type: ignore[valid-type]
        except (GitHubException, ValueError, TypeError, RecursionError) as error:
            raise _unreadable(url, error) from None

    def _url(self, path: tuple[str, ...]) -> str:
        return "/".join([self._root, *(quote(part, safe=".") for part in path)])


def _unreadable(url: str, error: Exception) -> SourceError:
    """A sentence for an answer in a form that is not GitHub's."""
    why = type(error).__name__
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        why = f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return SourceError(Cause.MALFORMED, f"{url}: the answer is not what GitHub's would be: {why}")
