"""How a Prometheus server is reached, as written in a service file, and its credentials.

Why secrets cannot be written here: service files are committed. They name an environment variable
or a file instead, and a file is read again for every request, because Kubernetes rotates tokens
under a running process.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import pydantic
import requests
from pydantic import Field

from gate.document import Duration, Section
from gate.sources.address import plain_url
from gate.sources.exchange import Auth, anonymous
from gate.sources.promclient import MOST_BYTES, MOST_SERIES
from gate.sources.secret import refuse_letters, secret

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
OWN_PARAMS = frozenset({"query", "time", "start", "end", "step", "timeout"})


class Basic(Section):
    """A user, and where the password is: in an environment variable or in a file."""

    username: str
    password_env: str | None = None
    password_file: Path | None = None

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Self:
        _exactly_one(password_env=self.password_env, password_file=self.password_file)
        return self


class Bearer(Section):
    """Where the token is: in an environment variable or in a file."""

    token_env: str | None = None
    token_file: Path | None = None

    @pydantic.model_validator(mode="after")
    def _one_place(self) -> Self:
        _exactly_one(token_env=self.token_env, token_file=self.token_file)
        return self


class Tls(Section):
    """PEM files: the authority to trust instead of the system's, and our own certificate.

    There is no way to skip verification: who answers for Prometheus decides what is promoted.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    @pydantic.model_validator(mode="after")
    def _key_with_its_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is given without cert_file")
        return self


class PrometheusSpec(Section):
    """One server, any that speaks the HTTP API of Prometheus.

    `url` is what stands before `/api/v1` (Mimir: `https://mimir/prometheus`). `headers` are sent
    with each request (`X-Scope-OrgID: team-a`). `params` are sent with each query, beside
    `partial_response=false`, `dedup=true` and `nocache=1`; for Thanos add
    `max_source_resolution: "0s"`, so that no downsampled data is judged. `timeout` bounds one
    attempt, `attempts` their number. Paths are relative to the service file's folder.
    """

    url: str
    method: Literal["POST", "GET"] = "POST"
    headers: dict[str, str] = Field(default_factory=dict)
    basic: Basic | None = None
    bearer: Bearer | None = None
    tls: Tls | None = None
    params: dict[str, str] = Field(default_factory=dict)
    timeout: Annotated[Duration, Field(gt=0, le=600)] = 10.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    most_bytes: Annotated[int, Field(ge=1)] = MOST_BYTES
    most_series: Annotated[int, Field(ge=1)] = MOST_SERIES

    @pydantic.field_validator("url")
    @classmethod
    def _plain_url(cls, url: str) -> str:
        return plain_url(url, "use basic or bearer", "use params").removesuffix("/api/v1")

    @pydantic.field_validator("headers")
    @classmethod
    def _no_secret_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        if secret := [name for name in headers if name.lower() in SECRET_HEADERS]:
            raise ValueError(
                f"{secret[0]} is a secret and cannot be in a file: use basic or bearer"
            )
        return headers

    @pydantic.field_validator("params")
    @classmethod
    def _foreign_params(cls, params: dict[str, str]) -> dict[str, str]:
        if own := sorted(OWN_PARAMS & params.keys()):
            raise ValueError(f"{own[0]} is set by the gate for each query")
        return params

    @pydantic.model_validator(mode="after")
    def _one_credential(self) -> Self:
        if self.basic and self.bearer:
            raise ValueError("basic and bearer exclude each other")
        return self

    def beside(self, folder: Path) -> Self:
        """The same, with the relative paths of its files taken from `folder`."""
        parts = {"basic": self.basic, "bearer": self.bearer, "tls": self.tls}
        return self.model_copy(
            update={name: _placed(part, folder) for name, part in parts.items() if part}
        )

    @property
    def verify(self) -> bool | str:
        """As requests wants it: the file of the authority to trust, or True for the system's."""
        return str(self.tls.ca_file) if self.tls and self.tls.ca_file else True

    @property
    def cert(self) -> str | tuple[str, str] | None:
        """As requests wants it: our certificate, with its key unless they share a file."""
        if not self.tls or not self.tls.cert_file:
            return None
        certificate = str(self.tls.cert_file)
        return (certificate, str(self.tls.key_file)) if self.tls.key_file else certificate


def credentials(spec: PrometheusSpec, environ: Mapping[str, str]) -> Auth:
    """What puts the credentials on a request; SourceError at that time if they are not there."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if basic := spec.basic:
            password = secret(basic.password_env, basic.password_file, environ)
            pair = base64.b64encode(f"{basic.username}:{password}".encode()).decode()
            request.headers["Authorization"] = f"Basic {pair}"
        if bearer := spec.bearer:
            token = secret(bearer.token_env, bearer.token_file, environ)
            refuse_letters(token)
            request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize if spec.basic or spec.bearer else anonymous


def _placed(part: Section, folder: Path) -> Section:
    paths = {name: folder / value for name, value in part if isinstance(value, Path)}
    return part.model_copy(update=paths)


def _exactly_one(**places: str | Path | None) -> None:
    if sum(place is not None for place in places.values()) != 1:
        raise ValueError(f"give one of {' and '.join(places)}")
