"""What a team declares about its service: arms, metrics, objectives, and which policy decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gate.additive import Model
from gate.kayenta import Kayenta
from gate.metric import Metric
from gate.slo import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """How the two versions are told apart.

    `canary` and `baseline` are label selectors as templates (`version="{{canary}}"`). With
    `offset` (seconds) the baseline is historical: `baseline` is asked that much earlier; a weaker
    comparison, because time itself differs between the arms.
    `health` is a query template for the liveness of an arm's targets, one series a target, 0
    meaning down; empty for none.
    """

    canary: str
    baseline: str
    offset: float | None = None
    health: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRange:
    """Where the change's pull requests are read: a `source` by name, and the range as templates.

    `number`: a template of the one that is asked about; empty for all between base and head.
    """

    source: str
    base: str
    head: str
    number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Globs:
    """Which files of a change count as what, by patterns as in .gitignore.

    `uncounted`: written by programs or by others, beside what .gitattributes says. `kinds`: for
    `Change.touches`, beside the gate's own. `components`: the parts of the service; None where
    nobody said.
    """

    uncounted: tuple[str, ...] = ()
    kinds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    components: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRange:
    """Where the change is read: a `source` by name, and the range as templates; its pull requests.

    `globs`: what the paths of the change mean. `dependents`: how many depend on the service.
    `pull` is None where nobody asks about them.
    """

    source: str
    base: str
    head: str
    globs: Globs = Globs()
    dependents: int | None = None
    pull: PullRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service as its team declares it.

    `step` and `lag` in seconds: the length of one interval, and how long the youngest data needs
    to arrive. `alpha`: the probability, over the whole rollout, that a release no worse than its
    margins is ever called worse. `beta`: that a metric worse than its margin is ever called not
    worse. `tier`: 0 (the most critical) to 2. `history`: seconds of the baseline before the canary
    started that show how noisy it is by itself; 0 for none. `earlier`: beside the concurrent
    baseline the service is compared with itself at an earlier time, because what harms both arms
    alike (a canary that fills the shared database) shows in no concurrent comparison. `risk_model`:
    what weighs the change; None for the one that comes with the gate. `kayenta`:
    judged by Kayenta's judge, which knows neither `alpha`, `beta`, `history` nor `earlier`; None
    for the gate's own.
    """

    name: str
    tier: int
    arms: Arms
    metrics: tuple[Metric, ...]
    policy: str
    step: float
    lag: float
    history: float = 0.0
    earlier: Arms | None = None
    alpha: float = 0.01
    beta: float = 0.05
    owner: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    slos: tuple[Slo, ...] = ()
    change: ChangeRange | None = None
    risk_model: Model | None = None
    kayenta: Kayenta | None = None
