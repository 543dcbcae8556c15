import os
import subprocess
import sys

import pydantic
import pytest

from gate.document import DEEPEST, Duration, Section, Share, fit, parse, read
from gate.errors import UsageError


class Sauce(Section):
    name: str
    hot: bool = False


class Pizza(Section):
    size: int
    price: float = 9.5
    bake: Duration = 600.0
    crust: Share = 0.5
    sauces: list[Sauce] = pydantic.Field(default_factory=list)


def pizza(text: str) -> Pizza:
    return fit(parse(text, "pizza.yaml"), Pizza)


def complaint(text: str) -> str:
    with pytest.raises(UsageError) as caught:
        pizza(text)
    return str(caught.value)


def test_a_file_that_is_right_becomes_the_model():
    read_back = pizza("size: 30\nbake: 8m\ncrust: 20%\nsauces: [{name: tomato, hot: true}]\n")
    assert read_back == Pizza(
        size=30, bake="8m", crust="20%", sauces=[Sauce(name="tomato", hot=True)]
    )
    assert (read_back.bake, read_back.crust) == (480.0, 0.2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size: 30\nsiez: 1\n", ("pizza.yaml:2:1: unknown key 'siez'; did you mean 'size'?\n"
            "  known here: bake, crust, price, sauces, size")),
        ("size: 30\nsauces:\n  - name: a\n  - name: b\n    hott: true\n",
            "pizza.yaml:5:5: unknown key 'hott'; did you mean 'hot'?\n  known here: hot, name"),
        ("size: 30\nsauces:\n  - hot: true\n", "pizza.yaml:3:5: sauces.0.name is missing"),
        ("price: 8.0\n", "pizza.yaml:1:1: size is missing"),
        ("size: large\n", "pizza.yaml:1:1: size: should be a valid integer, not 'large'"),
        ("size: 30\nbake: 8\n", ("pizza.yaml:2:1: bake: '8' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        ("size: 30\nbake: [8m]\n", ("pizza.yaml:2:1: bake: '[\"8m\"]' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        ("size: 30\nbake:\n", ("pizza.yaml:2:1: bake: 'null' is not a duration; "
            "write a number and a unit: 30s, 20m, 1h30m, 30d")),
        ("size: 30\ncrust: 20\n", ("pizza.yaml:2:1: crust: '20' is not a share strictly between "
            "0 and 1; did you mean 20%?")),
        ("size:\n", "pizza.yaml:1:1: size: should be a valid integer, not null"),
        ("size: 30\nsauces: tomato\n",
            "pizza.yaml:2:1: sauces: should be a list, not 'tomato'"),
        ("size: 30\nsauces: [tomato]\n", ("pizza.yaml:2:10: sauces.0: should be a mapping of keys "
            "to values, not 'tomato'")),
        ("", "pizza.yaml:1:1: document: should be a mapping of keys to values, not null"),
        ("- size: 30\n", "pizza.yaml:1:1: document: should be a mapping of keys to values"),
        ("just words\n", ("pizza.yaml:1:1: document: should be a mapping of keys to values, "
            "not 'just words'")),
    ],
)  # fmt: skip
def test_a_complaint_says_where_what_and_what_is_known(text, said):
    assert complaint(text) == said


def test_all_complaints_come_at_once():
    said = complaint("siez: 1\nprise: 2\n")
    assert [line[:14] for line in said.splitlines() if line[0] != " "] == [
        "pizza.yaml:1:1",
        "pizza.yaml:2:1",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size: true\n", "size: should be a valid integer, not true"),
        ('size: "30"\n', "size: should be a valid integer, not '30'"),
        ("size: 30.0\n", "size: should be a valid integer, not 30.0"),
        ("size: 30\nprice: true\n", "price: should be a valid number, not true"),
        ("size: 30\nprice: 9\n", None),
        ("size: 30\nsauces: [{name: x, hot: no}]\n", "hot: should be true or false, not 'no'"),
        ("size: 30\nsauces: [{name: x, hot: on}]\n", "hot: should be true or false, not 'on'"),
        ("size: 30\nsauces: [{name: x, hot: 1}]\n", "hot: should be true or false, not 1"),
        ("size: 30\nsauces: [{name: no}]\n", None),  # the country code of Norway, a name
        ("size: 30\nsauces: [{name: 2026-11-02}]\n", None),  # no date
        ("size: 30\nsauces: [{name: 1:30}]\n", None),  # not ninety
        ("size: 30\nsauces: [{name: 007}]\n", "name: should be a valid string, not 7"),
        ("size: 08\n", None),
        ("size: 30\nsauces: [{name: ~}]\n", "name: should be a valid string, not null"),
    ],
)
def test_nothing_is_taken_for_what_it_is_not(text, said):
    if said is None:
        pizza(text)
    else:
        assert said in complaint(text)


def test_a_leading_zero_is_decimal_as_in_yaml_1_2():
    assert parse("[010, 08, +1, -0]", "f").data == [10, 8, 1, 0]


def test_scalars_of_the_core_schema():
    text = "[.inf, -.inf, 1e3, .5, 1., TRUE, Null, ~, '', 1_000, 0x1F, yes, on, =, <<]"
    assert parse(text, "f").data == [
        float("inf"), float("-inf"), 1000.0, 0.5, 1.0, True, None, None, "",
        "1_000", "0x1F", "yes", "on", "=", "<<",
    ]  # fmt: skip


def test_on_is_an_unknown_key_like_any_other():
    # In YAML 1.1 this key is the boolean true, and its name is gone.
    assert complaint("size: 30\non: push\n").startswith("pizza.yaml:2:1: unknown key 'on'")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("size: 30\nsize: 40\n", "f:2:1: key 'size' is written twice"),
        ("a: {b: 1, c: 2, b: 3}\n", "f:1:17: key 'b' is written twice"),
        ("? [1, 2]\n: b\n", "f:1:3: a key must be plain text"),
        ("a: [1\n", "f:2:1: not valid YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "f:2:1: not valid YAML: but found another document"),
        ("a: *nowhere\n", "f:1:4: not valid YAML: found undefined alias"),
        ("\ta: b\n", "f:1:1: not valid YAML: found character that cannot start any token"),
        ("a: !!python/object:os.system {}\n",
            ("f:1:4: not valid YAML: the tag tag:yaml.org,2002:python/object:os.system "
            "is not plain data")),
        ("a: !secret pw\n", "f:1:4: not valid YAML: the tag !secret is not plain data"),
        ("a: !!binary aGVsbG8=\n",
            "f:1:4: not valid YAML: the tag tag:yaml.org,2002:binary is not plain data"),
        ("a: !!int many\n", "f:1:4: not valid YAML: 'many' cannot be read as int"),
        ("a: !!bool perhaps\n", "f:1:4: not valid YAML: 'perhaps' cannot be read as bool"),
        (f"a: {'9' * 5000}\n",
            f"f:1:4: not valid YAML: '{'9' * 40}' cannot be read as int"),
        ("a: x\x07y\n", ("f:1:5: not valid YAML: unacceptable character #x0007: "
            "control characters are not allowed")),
        ("a: &a [1, *a]\n", "f: an alias stands inside what it names"),
        ("one:\n  <<: 3\n",
            ("f:2:7: not valid YAML: expected a mapping or list of mappings for merging, "
            "but found scalar")),
    ],
)  # fmt: skip
def test_what_is_not_one_plain_document_is_refused(text, said):
    with pytest.raises(UsageError) as caught:
        parse(text, "f")
    assert str(caught.value) == said


def test_anchors_and_merges_read_as_if_written_out():
    text = """\
base: &base {size: 30, price: 8.0}
small: &small
  <<: *base
  size: 20
again: *small
both:
  <<: [*small, {price: 1.0, bake: 5m}]
"""
    data = parse(text, "f").data
    assert data["small"] == data["again"] == {"size": 20, "price": 8.0}
    assert data["both"] == {"size": 20, "price": 8.0, "bake": "5m"}


def test_a_complaint_about_a_merged_key_points_at_where_it_is_written():
    assert "pizza.yaml:2:1: unknown key" in complaint("<<: {size: 30}\nsiez: 1\n")
    assert "pizza.yaml:1:16: unknown key 'siez'" in complaint("<<: {size: 30, siez: 1}\n")


def test_deep_nesting_is_an_error_and_no_crash():
    # Without the limit the parser overflows the C stack: hence another process.
    program = """
from gate.document import parse
from gate.errors import UsageError
try:
    parse("[" * 200_000, "f")
except UsageError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=9)
    assert (run.returncode, run.stdout) == (0, f"f:1:101: nested more than {DEEPEST} levels deep\n")


def test_aliases_that_unfold_without_end_are_refused():
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    with pytest.raises(UsageError, match="aliases unfold to more than"):
        parse("\n".join(lines), "f")


def at(text: str, found: str, *, block_line: int = 1) -> str:
    """Where `inside` says the text `found` stands, in the value under `when`."""
    document = parse(text, "f")
    column = document.data["when"].split("\n")[block_line - 1].index(found) + 1
    return document.inside(("when",), block_line, column)


@pytest.mark.parametrize(
    ("text", "line", "where"),
    [
        ("when: a && wrong\n", 1, "f:1:12"),
        ("when: 'a && wrong'\n", 1, "f:1:13"),
        ("when: |\n  a &&\n    wrong\n", 2, "f:3:5"),
        ("when: |\n\n  a &&\n  wrong\n", 3, "f:4:3"),
        ("when: |1\n    a &&\n   wrong\n", 2, "f:3:4"),
        # Where the text is not what is written, the start of the value.
        ("when: >\n  a &&\n  wrong\n", 1, "f:1:7"),
        ("when: a &&\n  wrong\n", 1, "f:1:7"),
        ('when: "\\"a\\" && wrong"\n', 1, "f:1:7"),
        ("when: 'it''s wrong'\n", 1, "f:1:7"),
        ("when: &name |\n  wrong\n", 1, "f:1:7"),
    ],
)
def test_a_position_inside_a_value(text, line, where):
    assert at(text, "wrong", block_line=line) == where


def test_a_missing_file_says_how_to_name_one(tmp_path):
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "gate.yaml", "name the file with -f FILE")
    assert str(caught.value) == f"{tmp_path}/gate.yaml: no such file\n  name the file with -f FILE"


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "gate.yaml"
    path.touch(mode=0)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        read(path)


def test_text_that_is_not_utf_8(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_bytes("name: Käse\n".encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: not UTF-8 text (byte 7)"


def test_the_text_is_kept_as_the_bytes_of_the_file(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_bytes(b"size: 30\r\nsiez: 1\r\n")
    document = read(path)
    assert document.text.encode() == path.read_bytes()
    assert document.where(("siez",)) == f"{path}:2:1"
