"""action.yml, the workflows and the examples: valid, pinned, and free of known mistakes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.action.judging import ACTION, ROOT, part

WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("examples/github/*.yml")])
BIN = Path(sys.executable).parent


def valid(schema: str, *files: Path) -> None:
    command = [BIN / "check-jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_action_yml_is_valid():
    valid("vendor.github-actions", ACTION)


def test_the_workflows_and_examples_are_valid():
    assert len(WORKFLOWS) >= 5
    valid("vendor.github-workflows", *WORKFLOWS)


def test_zizmor_finds_nothing():
    command = [
        BIN / "zizmor",
        "--offline",
        "--no-progress",
        "--persona",
        "pedantic",
        ACTION,
        *WORKFLOWS,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_input_reaches_the_step_by_its_environment_and_no_other_way():
    told = yaml.safe_load(ACTION.read_text())
    (step,) = told["runs"]["steps"]
    assert "${{" not in step["run"]
    assert step["env"] == {
        f"GATE_ACTION_{name.replace('-', '_').upper()}": f"${{{{ inputs.{name} }}}}"
        for name in told["inputs"]
    }
    fields = part("inputs").Inputs.__dataclass_fields__
    assert {name.replace("_", "-") for name in fields} == set(told["inputs"])
    assert all(re.fullmatch(r"[a-z][a-z-]*", name) for name in told["inputs"])


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_commit(file):
    for used in re.findall(r"^ *(?:- )?uses: (\S+)(.*)", file.read_text(), re.MULTILINE):
        assert re.fullmatch(r"(\./\S*)|(\S+@[0-9a-f]{40})", used[0]), used
        assert used[0].startswith("./") or re.search(r"# \S", used[1]), used


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_command_of_a_step_fails_unseen(file):
    """Without `shell: bash` there is no pipefail, and of `echo $(false)` only echo counts."""
    for job in yaml.safe_load(file.read_text())["jobs"].values():
        for step in job.get("steps", []):
            script = step.get("run", "")
            assert not re.search(r"^\s*echo .*\$\(", script, re.MULTILINE), script
            assert step.get("shell") == "bash" or not re.search(r"(^|\s)\| ", script), script


@pytest.mark.parametrize("name", ["deploy", "protected"])
def test_a_canary_that_has_to_go_waits_for_no_approval(name):
    jobs = yaml.safe_load((ROOT / "examples" / "github" / f"{name}.yml").read_text())["jobs"]
    used = {job: jobs[job]["environment"] for job in ("canary", "promote", "roll-back")}
    assert used == {"canary": "canary", "promote": "production", "roll-back": "canary"}


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\s]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_the_lock_of_local_mode_is_the_versions_of_ci():
    lock = pins((ROOT / "action" / "requirements.txt").read_text())
    constraints = pins((ROOT / "constraints.txt").read_text())
    assert {name: constraints.get(name) for name in lock} == lock
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for one in project["dependencies"]:
        assert re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", one)[0]).lower() in lock


def test_every_locked_package_has_its_hashes():
    text = (ROOT / "action" / "requirements.txt").read_text()
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(text))
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_entry_imports_the_standard_library_alone():
    known = sys.stdlib_module_names | {file.stem for file in (ROOT / "action").glob("*.py")}
    for file in (ROOT / "action").glob("*.py"):
        for name in re.findall(r"^\s*(?:from|import) (\w+)", file.read_text(), re.MULTILINE):
            assert name in known, f"{file.name} imports {name}"


def test_the_durations_are_those_of_the_command_line():
    from gate.units import UNITS

    assert part("inputs").UNITS == UNITS


def test_the_token_is_made_out_for_whom_a_server_expects():
    from gate.surfaces.http.tokens_file import IssuerSection

    told = yaml.safe_load(ACTION.read_text())["inputs"]["oidc-audience"]["default"]
    assert told == IssuerSection().audience


def test_the_inputs_that_examples_and_readme_give_exist():
    known = set(yaml.safe_load(ACTION.read_text())["inputs"])
    for file in WORKFLOWS:
        for job in yaml.safe_load(file.read_text())["jobs"].values():
            for step in job.get("steps", []):
                if step.get("uses", "").startswith(("OWNER/gate@", "./")):
                    assert set(step["with"]) <= known, file
    readme = (ROOT / "README.md").read_text()
    shown = [
        yaml.safe_load(one)
        for one in re.findall(r"```yaml\n(- uses: OWNER.*?)```", readme, re.DOTALL)
    ]
    assert len(shown) == 2
    assert all(set(step["with"]) <= known for (step,) in shown)
