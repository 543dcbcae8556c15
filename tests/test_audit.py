"""The audit of dependencies fails on what is found, never on being offline; no secret is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
BAD = {
    "name": "pyyaml", "version": "5.3",
    "vulns": [{"id": "PYSEC-2021-142", "fix_versions": ["5.4"], "aliases": [], "description": ""}],
}  # fmt: skip
UNKNOWN = {"name": "flask", "skip_reason": "not found on PyPI"}
# What our tokens, GitHub's, AWS's and private keys look like.
SECRETS = re.compile(
    rb"gate_[A-Za-z0-9_-]{43}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60}|AKIA[0-9A-Z]{16}"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s[A-Za-z0-9+/]"
)


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ([CLEAN], 0, "1 of 1 packages audited, 0 vulnerabilities"),
        ([CLEAN, UNKNOWN], 0, "1 of 2 packages audited, 0 vulnerabilities"),
        ([CLEAN, BAD], 1, "pyyaml 5.3: PYSEC-2021-142, fixed in 5.4"),
        ([UNKNOWN], 0, "skipped, nothing was audited"),
        (None, 0, "skipped, nothing was audited: the advisories cannot be reached"),
    ],
)
def test_an_audit_fails_on_what_is_known_and_says_what_was_not_looked_at(
    tmp_path, report, code, said
):
    written = (
        "exit 1"
        if report is None
        else f"cat > \"$8\" <<'E'\n{json.dumps({'dependencies': report})}\nE"
    )
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    audit = tmp_path / "pip-audit"
    audit.write_text(f"#!/bin/sh\n{written}\n")
    audit.chmod(0o755)
    done = subprocess.run(
        [python, ROOT / ".ci" / "audit.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, said in done.stdout) == (code, True), done


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_file_of_the_repository_holds_a_secret():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no clone")
    files = [ROOT / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    assert [one for one in files if one.is_file() and SECRETS.search(one.read_bytes())] == []
