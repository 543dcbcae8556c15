"""The App's file: every complaint names its place, and no secret."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gate.document import parse, read
from gate.errors import UsageError
from gate.settings import Settings
from gate.sources.github.github import DEFAULT_URL
from gate.surfaces.http.configuration import build, parts, setup
from gate.surfaces.http.reloading import Reloading
from gate.surfaces.protection.app_file import key_of, load
from tests.http.parts import EXAMPLE
from tests.protection.apphub import pem
from tests.protection.parts import ENVIRON, OLD, SECRET, app_file

ROOT = Path(__file__).parents[2]
README, SHOWN = ROOT / "README.md", ROOT / "examples" / "github" / "github-app.yaml"
URL = "https://api.github.com"


def test_a_file_of_few_words_has_the_rest_by_itself(tmp_path):
    app = load(app_file(tmp_path, URL, more=""), ["checkout"], ENVIRON)
    (one,) = app.environments
    assert (one.canary, one.baseline, one.since) == ("{{sha}}", "{{stable}}", None)
    assert one.every == 30.0
    assert app.secrets == (SECRET, OLD)
    assert app.entry("acme/SHOP", "Production") is one
    assert app.entry("acme/shop", "staging") is None
    assert key_of(tmp_path / "github.yaml") == (tmp_path / "app.pem",)


@pytest.mark.parametrize(
    ("wrong", "right", "complaint"),
    [
        ("{{sha}}", "{{shaa}}", r"github.yaml:11:5: unknown word {{shaa}}; did you mean 'sha'"),
        ("{{sha}}", "{{stable}}", r"github.yaml:11:5: unknown word {{stable}}"),
        ("checkout", "chekout", r"8:5|10:5: no service 'chekout' is served; did you mean 'chec"),
        ("Acme/Shop", "shop", r"github.yaml:8:5: a repository is written owner/name"),
        ("app.pem", "none.pem", r"github.yaml:4:1: .*none.pem cannot be read: No such file"),
        ("app.pem", "github.yaml", r"github.yaml:4:1: .* no private key"),
        ("HOOK_SECRET", "NO_SECRET", r"github.yaml:5:22: environment variable NO_SECRET"),
        (URL, "http://ghe.example/api/v3", r"github.yaml:6:1: tokens are not sent over http"),
        (URL, "ftp://x", r"github.yaml:6:1: an http:// or https:// address is needed"),
        (URL, "https://x:y@z", r"github.yaml:6:1: credentials do not belong"),
        ("since: 10m", "sinse: 10m", r"12:5: unknown key 'sinse'; did you mean 'since'"),
        (
            "since: 10m",
            "deadline: 10m",
            r"12:5: unknown key 'deadline'; .* is said by the policy of its service",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, wrong, right, complaint):
    file = app_file(tmp_path, URL, '    canary: "{{sha}}"\n    since: 10m\n')
    written = file.read_text()
    assert wrong in written
    file.write_text(written.replace(wrong, right, 1))
    with pytest.raises(UsageError, match=complaint) as caught:
        load(file, ["checkout"], ENVIRON)
    assert SECRET not in str(caught.value)


def test_the_file_of_the_readme_and_the_example_are_one(tmp_path):
    shown = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    (text,) = (one for one in shown if "kind: GitHubApp" in one)
    assert parse(text, "README").data == read(SHOWN).data
    shutil.copy(SHOWN, tmp_path)
    (tmp_path / "gate.private-key.pem").write_bytes(pem())
    app = load(tmp_path / SHOWN.name, ["checkout"], {"WEBHOOK_SECRET": "x"})
    (one,) = app.environments
    assert (app.url, one.stable, one.since) == (DEFAULT_URL, "production", None)


def test_the_workflow_of_the_example_waits_where_its_file_says():
    jobs = read(SHOWN.with_name("protected.yml")).data["jobs"]
    (entry,) = read(SHOWN).data["environments"]
    protected = {
        name for name, job in jobs.items() if job.get("environment") == entry["environment"]
    }
    assert protected == {"promote"}


def test_changed_the_new_file_is_in_force_and_a_wrong_one_is_not(tmp_path):
    file = app_file(tmp_path, URL, "")
    own = setup(ENVIRON, services=(EXAMPLE,), insecure=True, github=file)
    its = build(own, Settings(ledger=tmp_path / "ledger.db"), ENVIRON)
    reloading = Reloading(its, lambda: parts(own, Settings(ledger=file), ENVIRON), own.files)
    assert tmp_path / "app.pem" in own.files
    app_file(tmp_path, URL, "    since: 1h\n")
    reloading.if_changed()
    assert its.github.environments[0].since == 3600.0
    file.write_text("nonsense")
    reloading.if_changed()
    assert its.stale
    assert its.github.environments[0].since == 3600.0


def test_an_environment_twice_is_refused(tmp_path):
    again = "  - {repository: acme/shop, environment: PRODUCTION, service: checkout}\n"
    with pytest.raises(UsageError, match="this environment stands here twice"):
        load(app_file(tmp_path, URL, again), ["checkout"], ENVIRON)


def test_a_key_that_is_not_rsa_is_refused(tmp_path):
    file = app_file(tmp_path, URL, "")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "app.pem").write_bytes(pem)
    with pytest.raises(UsageError, match="not RSA"):
        load(file, ["checkout"], ENVIRON)
