"""A small authority, a server's and a client's certificate, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.parts.prometheus import binary


def certificates(folder: Path) -> None:
    """Writes ca, server and client `.pem` and `.key` into the folder; valid for a day."""
    _openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=gate test"),
        *("-keyout", "ca.key", "-out", "ca.pem"),
    )
    for name in ("server", "client"):
        _openssl(
            folder,
            *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr"),
        )
        (folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        _openssl(
            folder,
            *("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
            *("-CAcreateserial", "-days", "1", "-out", f"{name}.pem", "-extfile", f"{name}.ext"),
        )


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(
        [binary("openssl"), *words], cwd=folder, check=True, capture_output=True, timeout=30
    )
