import pydantic
import pytest

from gate import service_file
from gate.document import Section
from gate.errors import GateError, UsageError
from gate.evidence.evidence import Pair
from gate.packaged import shipped
from gate.settings import Settings
from gate.verdict import Outcome
from gate.wiring import gate, policy_of
from tests.parts.rollouts import RECORDED, a_request, counts


class Steady:
    """A stranger's source: the same traffic in every minute, with errors as the file says."""

    class Spec(Section):
        errors: float = pydantic.Field(ge=0, le=1)

    @classmethod
    def open(cls, spec, surroundings):
        return cls(spec.errors, surroundings.environ["STEADY_BASELINE"])

    def __init__(self, errors, baseline):
        self._errors, self._baseline = errors, float(baseline)

    def pair(self, metric, asked):
        minutes = asked.window.count
        return Pair(
            metric.name,
            baseline=counts(self._baseline, minutes=minutes),
            canary=counts(self._errors, minutes=minutes),
            history=counts(self._baseline, minutes=asked.history.count),
        )


class WithoutSpec:
    def open(self): ...


SHOP = """\
apiVersion: gate/v1
kind: Service
name: shop
sources:
  m: {source}
arms: {{rollout: shop}}
lag: 0s
metrics:
  - {{name: errors, kind: events, bad: b, total: t}}
policy: {policy}
"""


def a_gate(folder, source, policy="standard"):
    file = folder / "gate.yaml"
    file.write_text(SHOP.format(source=source, policy=policy))
    own = Settings(ledger=folder / "ledger.db")
    return gate(service_file.load(file), own, {"STEADY_BASELINE": "0.002"})


def complaint(folder, source, policy="standard"):
    with pytest.raises(UsageError) as caught:
        a_gate(folder, source, policy)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("errors", "outcome"), [(0.002, Outcome.PROMOTE), (0.02, Outcome.ROLLBACK)]
)
def test_a_stranger_s_source_works_from_its_path_to_the_ledger(tmp_path, errors, outcome):
    one = a_gate(tmp_path, f'{{kind: "tests.test_wiring:Steady", errors: {errors}}}')
    decision = one.decide(a_request())
    assert decision.verdict.outcome is outcome
    assert one.ledger.entry(decision.id).record.outcome == outcome


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{kind: prometheuss}", ("gate.yaml:5:7: unknown kind of source 'prometheuss'; "
            "did you mean 'prometheus'?\n  known: file, git, prometheus, or package.module:Class")),
        ("{url: x}", "gate.yaml:5:3: source 'm' has no kind\n  one of: prometheus, file, git"),
        ("{kind: 3}", "gate.yaml:5:3: source 'm' has no kind\n  one of: prometheus, file, git"),
        ("{kind: 'tests.test_wiring:Study'}", ("gate.yaml:5:7: source kind "
            "'tests.test_wiring:Study' cannot be loaded: "
            "module 'tests.test_wiring' has no attribute 'Study'")),
        ("{kind: 'acme.gate:Splunk'}", ("gate.yaml:5:7: source kind 'acme.gate:Splunk' "
            "cannot be loaded: No module named 'acme'")),
        ("{kind: ':Steady'}",
            "gate.yaml:5:7: source kind ':Steady' cannot be loaded: Empty module name"),
        ("{kind: 'tests.test_wiring:WithoutSpec'}", ("gate.yaml:5:7: "
            "'tests.test_wiring:WithoutSpec' is no kind of source\n"
            "  it needs a `Spec` and an `open`")),
        ("{kind: 'tests.test_wiring:Steady', errors: 2}",
            "gate.yaml:5:41: sources.m.errors: should be less than or equal to 1, not 2"),
        ("{kind: 'tests.test_wiring:Steady', erors: 0.1}",
            "gate.yaml:5:41: unknown key 'erors'; did you mean 'errors'?\n  known here: errors"),
        ("{kind: 'tests.test_wiring:Steady'}", "gate.yaml:5:3: sources.m.errors is missing"),
        ("{kind: file, path: x.csv, format: xml}", ("gate.yaml:5:32: sources.m.format: "
            "should be 'csv', 'json' or 'openmetrics', not 'xml'")),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_opened_is_told_with_its_place(tmp_path, source, said):
    assert complaint(tmp_path, source) == said


def test_a_module_that_breaks_while_it_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "breaking_part.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert complaint(tmp_path, "{kind: 'breaking_part:Source'}") == (
        "gate.yaml:5:7: source kind 'breaking_part:Source' cannot be loaded: division by zero"
    )


def test_an_entry_point_is_a_kind_like_ours(tmp_path, monkeypatch):
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gate.sources]\nsteady = tests.test_wiring:Steady\n")
    monkeypatch.syspath_prepend(tmp_path)
    one = a_gate(tmp_path, "{kind: steady, errors: 0.002}")
    assert one.decide(a_request()).verdict.outcome is Outcome.PROMOTE
    assert "did you mean 'steady'" in complaint(tmp_path, "{kind: stedy}")


def test_a_policy_is_found_beside_the_file_or_among_the_shipped(tmp_path):
    steady = "{kind: 'tests.test_wiring:Steady', errors: 0.002}"
    assert a_gate(tmp_path, steady).policy.name == "standard"
    own = (shipped("policies") / "standard.yaml").read_text().replace("name: standard", "name: own")
    (tmp_path / "own.yaml").write_text(own)
    assert a_gate(tmp_path, steady, "own.yaml").policy.name == "own"
    assert complaint(tmp_path, steady, "standart").splitlines()[0] == (
        "gate.yaml:10:1: there is no shipped policy 'standart'; did you mean 'standard'?"
    )
    assert complaint(tmp_path, steady, "none.yaml") == "gate.yaml:10:1: none.yaml: no such file"


def test_a_policy_is_pinned_in_the_service_file(tmp_path):
    steady = "{kind: 'tests.test_wiring:Steady', errors: 0.002}"
    digest = a_gate(tmp_path, steady).policy.sha256
    assert a_gate(tmp_path, steady, f"standard@sha256:{digest}").policy.name == "standard"
    other = "0" * 64
    assert complaint(tmp_path, steady, f"standard@sha256:{other}") == (
        f"gate.yaml:10:1: policy 'standard' is pinned to {other} but is {digest}\n"
        "  read what changed (gate policy show standard), then pin "
        f"standard@sha256:{digest}"
    )


def test_a_policy_given_by_hand_is_found_from_here(tmp_path, monkeypatch):
    policy = shipped("policies") / "standard.yaml"
    (tmp_path / "mine.yaml").write_text(policy.read_text().replace("name: standard", "name: mine"))
    monkeypatch.chdir(tmp_path)
    assert policy_of(service_file.load(RECORDED), "./mine.yaml").name == "mine"


def test_nothing_is_opened_before_it_is_asked(tmp_path):
    a_gate(tmp_path, "{kind: file, path: nowhere.json}")
    assert not (tmp_path / "ledger.db").exists()


def test_a_ledger_that_cannot_be_written_is_no_decision(tmp_path):
    one = a_gate(tmp_path, "{kind: 'tests.test_wiring:Steady', errors: 0.002}")
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(GateError):
        one.decide(a_request())
