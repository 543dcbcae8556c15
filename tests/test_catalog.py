"""How many depend on a service, by its own word or by Backstage's catalog."""

from __future__ import annotations

import pytest

from gate.catalog import dependents
from gate.errors import UsageError
from gate.service_file import load
from tests.parts.services import service_file

CHECKOUT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, dependencyOf: [component:default/web, App]}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: checkout}
spec: {dependsOn: [component:checkout]}
"""
OTHERS = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Web}
spec: {dependsOn: ["component:checkout", "resource:db"]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: not-of-the-catalog}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: search}
"""


@pytest.fixture
def catalog(tmp_path):
    for name, text in {"a": CHECKOUT, "b": OTHERS}.items():
        (tmp_path / "catalog" / name).mkdir(parents=True)
        (tmp_path / "catalog" / name / "catalog-info.yaml").write_text(text)
    return tmp_path / "catalog"


def test_who_needs_it_and_whom_it_says_it_serves_count_once(catalog):
    found = {"component:default/web", "component:default/app", "api:default/checkout"}
    assert dependents(catalog, "checkout") == found
    assert dependents(catalog, "search") == frozenset()


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (None, "chekout", "no component 'chekout'; did you mean 'checkout'?"),
        ("kind: [", "checkout", ": not valid YAML"),
        (
            CHECKOUT.replace("[component:checkout]", "checkout"),
            "checkout",
            "catalog-info.yaml:9:8: spec.dependsOn: should be a list of entity references",
        ),
        (
            CHECKOUT.replace("{name: checkout}", "{}"),
            "checkout",
            "catalog-info.yaml:1:1: the entity has no metadata.name",
        ),
    ],
)
def test_a_catalog_that_cannot_be_counted_is_told_with_its_place(catalog, text, name, said):
    if text is not None:
        (catalog / "a" / "catalog-info.yaml").write_text(text)
    with pytest.raises(UsageError) as caught:
        dependents(catalog, name)
    assert said in str(caught.value)


def test_a_folder_without_a_catalog_is_no_service_without_dependents(tmp_path):
    with pytest.raises(UsageError, match=r"no catalog-info\.yaml in this folder"):
        dependents(tmp_path, "checkout")


def a_file(folder, change: str):
    path = service_file(folder, "http://127.0.0.1:1")
    path.write_text(f"{path.read_text()}change: {{source: prom, {change}}}\n")
    return path


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ("dependents: 12", 12),
        ("dependents: [web, app, web]", 2),
        ("dependents: []", 0),
        ("catalog: catalog, entity: checkout", 3),
        ("generated: [gen/**]", None),
    ],
)
def test_the_service_file_says_how_many_depend_on_it(tmp_path, catalog, change, count):
    read = load(a_file(tmp_path, change)).service.change
    assert read is not None
    assert read.dependents == count


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("catalog: catalog", "gate.yaml:21:24: "),
        ("catalog: catalog, dependents: 3", "`dependents` says it already"),
        ("entity: x", "`entity` names it in a `catalog`"),
        ("dependents: -1", "greater than or equal to 0"),
        ("generated: ['!x']", "write a glob as in .gitignore"),
        ("components: {web: ['[z-a]']}", "not a glob: "),
        ("components: {web: []}", "must not be empty"),
        ("path: {x: [y]}", "unknown key 'path'; did you mean 'paths'?"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(tmp_path, catalog, change, said):
    with pytest.raises(UsageError) as caught:
        load(a_file(tmp_path, change))
    assert said in str(caught.value)
