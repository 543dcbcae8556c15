import json
import shutil
import subprocess

import pytest

from gate.errors import UsageError
from gate.objectives.reader import read
from gate.template import render
from tests.objectives.writing import DATA, OPENSLO, PYRRA, SLOTH, changed, complaint, only


def test_a_folder_holds_every_format_at_any_depth():
    answer = read(DATA)
    assert len(answer.slos) == 12
    assert len({slo.name for slo in answer.slos}) == 12
    assert all(".y" in slo.origin for slo in answer.slos)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Prometheus) is missing")
def test_prometheus_takes_every_query(tmp_path):
    rules = [
        {"record": f"r{index}", "expr": render(query, {"window": "1h"})}
        for index, query in enumerate(
            query for slo in read(DATA).slos for query in (slo.queries or {}).values()
        )
    ]
    file = tmp_path / "rules.json"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    run = subprocess.run(
        ["promtool", "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert (run.returncode, len(rules)) == (0, 22), run.stderr


def test_documents_keep_their_lines_and_empty_ones_say_nothing(tmp_path):
    text = f"# SLOs of the shop\n---\n{SLOTH}---\n# nothing\n---\n{PYRRA}...\n"
    (tmp_path / "all.yaml").write_text(text)
    shop, web = read(tmp_path).slos
    assert (shop.origin, web.origin) == (f"{tmp_path}/all.yaml:6", f"{tmp_path}/all.yaml:15")


def test_windows_line_ends_and_a_byte_order_mark(tmp_path):
    file = tmp_path / "slo.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + f"{OPENSLO}---\n{PYRRA}".replace("\n", "\r\n").encode())
    with pytest.raises(UsageError, match=r"slo.yaml:19: a second SLO is named 'web'\n  the first"):
        read(file)


def test_a_list_of_objects_is_read(tmp_path):
    item = "".join(f"  {line}" for line in OPENSLO.splitlines(keepends=True))
    slo = only(tmp_path, "# as pkg/openslo/v1/examples/slos.yaml\n-" + item[1:])
    assert slo.origin == f"{tmp_path}/slo.yaml:18"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            changed(OPENSLO, "openslo/v1", "openslo/v1alpha"),
            "slo.yaml:1:1: unknown apiVersion 'openslo/v1alpha'; did you mean 'openslo/v1'?\n  k",
        ),
        (
            changed(SLOTH, "prometheus/v1", "prometheus/v2"),
            "slo.yaml:1:1: unknown version 'prometheus/v2'; did you mean 'prometheus/v1'?",
        ),
        (changed(PYRRA, "apiVersion: pyrra.dev/v1alpha1\n", ""), "slo.yaml:1:1: apiVersion is mis"),
        ("kind: Deployment\napiVersion: apps/v1\n", "slo.yaml:2:1: unknown apiVersion 'apps/v1'"),
        (
            "- just\n- words\n",
            "slo.yaml:1:3: apiVersion is missing\n  known: openslo/v1, prometheus/v1",
        ),
        ("", "slo.yaml: declares no SLO\n  known formats: openslo/v1, prometheus/v1"),
        (f"{SLOTH}---\na: [1\n", "slo.yaml:12:1: not valid YAML"),
        (f"{SLOTH}---\na: 1\na: 2\n", "slo.yaml:12:1: key 'a' is written twice"),
        (
            changed(OPENSLO, "{name: web}", "{name: web, labels: {userImpacting: true}}"),
            "slo.yaml:3:32: metadata.labels.userImpacting: write the value in quotes",
        ),
    ],
)
def test_what_is_no_file_of_slos_is_refused(tmp_path, text, told):
    assert complaint(tmp_path, text).startswith(told)


def test_other_files_of_a_folder_are_passed_over_aloud(tmp_path):
    (tmp_path / "slo.yaml").write_text(SLOTH)
    (tmp_path / "deployment.yml").write_text("apiVersion: apps/v1\nkind: Deployment\n")
    (tmp_path / "values.yaml").write_text("---\nreplicas: 3\n")
    (tmp_path / "hosts.yaml").write_text("- web-1\n")
    (tmp_path / "README.md").write_text("# not YAML: [\n")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "ci.yaml").write_text("on: push\n")
    answer = read(tmp_path)
    assert [slo.name for slo in answer.slos] == ["shop-requests"]
    passed = "declares no objective that is known here; passed over"
    assert answer.warnings == (
        f"{tmp_path}/deployment.yml:1: Deployment of apps/v1 {passed}",
        f"{tmp_path}/hosts.yaml:1: a document of no version {passed}",
        f"{tmp_path}/values.yaml:2: a document of no version {passed}",
    )


@pytest.mark.parametrize(
    "text",
    [
        changed(OPENSLO, "openslo/v1", "openslo/v2alpha"),
        changed(SLOTH, "version: prometheus/v1\n", ""),
        changed(PYRRA, "pyrra.dev/v1alpha1", "example.org/v1"),
    ],
)
def test_objectives_of_another_version_are_never_passed_over(tmp_path, text):
    (tmp_path / "slo.yaml").write_text(SLOTH)
    (tmp_path / "other.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"other\.yaml:1:1: "):
        read(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match=r"none\.yaml: no such file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match=r"holds no \*\.yaml or \*\.yml"):
        read(tmp_path)
    (tmp_path / "old.yaml").write_bytes(b"name: caf\xe9\n")
    with pytest.raises(UsageError, match=r"old\.yaml: not UTF-8 text \(byte 9\)"):
        read(tmp_path)
    (tmp_path / "shut.yaml").mkdir()
    (tmp_path / "old.yaml").unlink()
    with pytest.raises(UsageError, match="holds no"):
        read(tmp_path)
