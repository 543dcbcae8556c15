"""The file that tells which GitHub App the gate is, and which environments wait for it.

Secrets are named, never held: the key by its file, webhook secrets by their variables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from gate.document import AsWritten, Document, Duration, FreeWord, Section, Text, fit, read, refuse
from gate.errors import UsageError, did_you_mean
from gate.evidence.source import SourceError
from gate.sources.address import on_this_machine, plain_url
from gate.sources.github.github import DEFAULT_URL
from gate.sources.github.reference import REPO
from gate.sources.secret import secret
from gate.template import words_of

# What `canary`, `baseline`, `namespace` and `variables` may be made of.
OF_THE_REQUEST = ("sha", "short_sha", "ref", "environment", "repository", "run")
OF_THE_STABLE = ("stable", "short_stable", "stable_ref")


class EnvironmentSection(Section):
    """One environment of a repository, and what is asked before a job may use it.

    `stable` names the environment whose last successful deployment is the baseline; it is this one
    by itself. `since`: how long the canary has run when the job begins to wait; without it, since
    the gate first saw it. How long the job may wait, the policy of the service says.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {
        "deadline": "how long a job may wait is said by the policy of its service: `deadline: 1h`"
    }
    repository: str
    environment: Text
    service: Text
    canary: Text = "{{sha}}"
    baseline: str = "{{stable}}"
    stable: Text | None = None
    namespace: str = ""
    variables: dict[FreeWord, Text] = Field(default_factory=dict)
    since: Annotated[Duration, Field(gt=0)] | None = None
    every: Annotated[Duration, Field(ge=1, le=3600)] = 30.0


class AppSection(Section):
    """The whole file. `app`: the App's client id, or its id."""

    apiVersion: Literal["gate/v1"]  # noqa: N815  the spelling of Kubernetes files
    kind: Literal["GitHubApp"]
    app: Annotated[AsWritten, Field(min_length=1)]
    private_key: Text
    webhook_secret_env: list[Text] = Field(min_length=1, max_length=2)
    url: str = DEFAULT_URL
    environments: list[EnvironmentSection] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class App:
    """Who the gate is for GitHub. `secrets`: any of them may sign a webhook. `url`: of the API."""

    id: str
    key: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    url: str
    environments: tuple[EnvironmentSection, ...]

    def entry(self, repository: str, environment: str) -> EnvironmentSection | None:
        """What is asked before that environment; GitHub does not tell large letters from small."""
        wanted = repository.casefold(), environment.casefold()
        return next((one for one in self.environments if _named(one) == wanted), None)


def load(path: Path, services: Collection[str], environ: Mapping[str, str]) -> App:
    """The App of a file; raises UsageError naming file, line and column.

    `services`: those that are served.
    """
    document = read(path, "--github names the file that tells the GitHub App")
    section = fit(document, AppSection)
    complaints = [*_wrong(document, section, services)]
    if complaints:
        raise UsageError("\n".join(complaints))
    return App(
        id=section.app,
        key=_key(document, path.parent / section.private_key),
        secrets=tuple(_secrets(document, section.webhook_secret_env, environ)),
        url=_url(document, section.url),
        environments=tuple(section.environments),
    )


def key_of(path: Path) -> tuple[Path, ...]:
    """The file of the key, where the App's file can be read so far: it may change too."""
    try:
        return (path.parent / fit(read(path), AppSection).private_key,)
    except UsageError:
        return ()


def _named(one: EnvironmentSection) -> tuple[str, str]:
    return one.repository.casefold(), one.environment.casefold()


def _wrong(document: Document, section: AppSection, services: Collection[str]) -> Iterator[str]:
    """What a model cannot check."""
    names = [_named(one) for one in section.environments]
    for index, one in enumerate(section.environments):
        at = ("environments", index)
        if not REPO.fullmatch(one.repository):
            yield str(refuse(document, (*at, "repository"), "a repository is written owner/name"))
        if one.service not in services:
            guess = did_you_mean(one.service, services)
            message = f"no service {one.service!r} is served{guess}"
            yield str(refuse(document, (*at, "service"), message))
        if names.index(names[index]) != index:
            yield str(refuse(document, (*at, "environment"), "this environment stands here twice"))
        yield from (str(one) for one in _unknown_words(document, one, at))


def _unknown_words(
    document: Document, one: EnvironmentSection, at: tuple[str | int, ...]
) -> Iterator[UsageError]:
    """Words that no request knows; and the canary is not made of what ran before it."""
    every = OF_THE_REQUEST + OF_THE_STABLE
    templates: dict[tuple[str, ...], str] = {
        ("canary",): one.canary, ("baseline",): one.baseline, ("namespace",): one.namespace,
        **{("variables", name): text for name, text in one.variables.items()},
    }  # fmt: skip
    for place, text in templates.items():
        known = OF_THE_REQUEST if place == ("canary",) else every
        for word in words_of(text):
            if word not in known:
                message = f"unknown word {{{{{word}}}}}{did_you_mean(word, known)}"
                yield refuse(document, (*at, *place), message, f"known here: {', '.join(known)}")


def _key(document: Document, path: Path) -> str:
    """The RSA key in the file, which GitHub gave out as PEM."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        pem = path.read_bytes()
        found = load_pem_private_key(pem, password=None)
    except OSError as error:
        why = f"{path} cannot be read: {error.strerror}"
    except (ValueError, TypeError):  # TypeError: it wants a password
        why = f"{path} holds no private key without a password, in PEM"
    else:
        if isinstance(found, RSAPrivateKey):
            return pem.decode()
        why = f"{path} holds a key that is not RSA"
    hint = "generate one in the App's settings on GitHub, under Private keys"
    raise refuse(document, ("private_key",), why, hint)


def _secrets(document: Document, names: list[str], environ: Mapping[str, str]) -> Iterator[str]:
    for index, name in enumerate(names):
        try:
            yield secret(name, None, environ)
        except SourceError as error:
            raise refuse(document, ("webhook_secret_env", index), error.message) from None


def _url(document: Document, url: str) -> str:
    """An address to which tokens may be sent: not in plain text past this machine."""
    try:
        plain = plain_url(url, "the key is all it needs")
    except ValueError as error:
        raise refuse(document, ("url",), str(error), f"write {DEFAULT_URL}") from None
    parts = urlsplit(plain)
    if parts.scheme == "http" and not on_this_machine(parts.hostname or ""):
        raise refuse(document, ("url",), "tokens are not sent over http://", "write https://")
    return plain
