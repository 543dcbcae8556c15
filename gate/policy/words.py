"""The words rules may use: flat, typed, each with its meaning, where it comes from, an example.

`docs/facts.md` is this table as a page (`gate policy facts --format markdown`). What a fact can
be (`known` words, the range of a number) lets lint see that a condition can never hold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gate.budget.alerts import WINDOWS
from gate.deployment import Result
from gate.risk.level import Level
from gate.units import duration

Value = bool | int | float | str | tuple[str, ...] | Mapping[str, str]
Facts = Mapping[str, Value]


class Type(StrEnum):
    """The CEL type of a fact."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    STRINGS = "list(string)"
    LABELS = "map(string, string)"


@dataclass(frozen=True, slots=True)
class Word:
    """A fact's type and meaning, what it is computed from (`source`), and an example.

    `known`: the only values a text, or the items of a list, can have; empty where any may come.
    `least` and `most` bound a number, both included.
    """

    type: Type
    meaning: str
    source: str
    example: Value
    known: tuple[str, ...] = ()
    least: float = -math.inf
    most: float = math.inf


_JUDGE, _SEEN = "the judge", "the sources"
_BUDGET, _RISK = "the SLOs of the service file", "the risk of the change"
_CHANGE, _PULL = "the source of the change", "the pull requests of the change, on GitHub"
_OWNERS, _LEDGER = "the components of the repository", "deployments told to the ledger"
_FILE, _REQUEST, _TABLE = "the service file", "the request", "the policy's evidence table"
# How the words begin of which nothing is known before the metrics are judged.
JUDGED = ("analysis.", "evidence.")
_FREEZES, _QUARTER = "the freezes of the policy", 92 * 1_440.0
_TYPES = (
    "build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test",
    "hotfix", "security", "reliability", "emergency", "breaking", "untyped",
)  # fmt: skip

WORDS: Mapping[str, Word] = {
    "analysis.safe": Word(
        Type.BOOL, "every critical comparison was shown not worse", _JUDGE, example=True
    ),
    "analysis.worse": Word(
        Type.STRINGS, "comparisons shown worse than their margin", _JUDGE, ("memory",)
    ),
    "analysis.critical_worse": Word(
        Type.STRINGS, "critical comparisons shown worse", _JUDGE, ("errors",)
    ),
    "analysis.not_worse": Word(
        Type.STRINGS,
        "comparisons shown not worse than their margin",
        _JUDGE,
        ("errors", "latency p99"),
    ),
    "analysis.unclear": Word(
        Type.STRINGS, "comparisons that show neither yet", _JUDGE, ("latency p99",)
    ),
    "analysis.unfit": Word(
        Type.STRINGS, "comparisons whose data cannot carry an answer", _JUDGE, ("latency p99",)
    ),
    "analysis.settled": Word(
        Type.STRINGS,
        "comparisons that passed at a policy's weaker level only (the soft pass of `settle`)",
        _JUDGE,
        ("latency p99",),
    ),
    "analysis.evidence_worse": Word(
        Type.DOUBLE,
        "log10 of the rollout's evidence (e-value) that some metric is worse; "
        "not known under Kayenta's judge",
        _JUDGE,
        0.3,
    ),
    "analysis.score": Word(
        Type.DOUBLE,
        "the score of Kayenta's judge, 0 to 100; not known under the gate's own",
        "Kayenta's judge",
        95.0,
        least=0.0,
        most=100.0,
    ),
    "analysis.concurrent": Word(Type.BOOL, "both arms ran at the same time", _FILE, example=True),
    "evidence.gaps": Word(
        Type.STRINGS, "what was asked for and not seen", _SEEN, ("slo availability",)
    ),
    "evidence.enough": Word(
        Type.BOOL, "the minutes and events that the policy asks for are there", _TABLE, example=True
    ),
    "evidence.needed_minutes": Word(
        Type.DOUBLE, "judged minutes that the policy asks for", _TABLE, 30.0, least=0.0
    ),
    "evidence.missing": Word(
        Type.STRINGS, "what is not enough yet", _TABLE, ("30 minutes, 12 judged",)
    ),
    "evidence.rows": Word(
        Type.STRINGS, "the rows of the evidence table that apply", _TABLE, ("risky or thin",)
    ),
    "budget.asked": Word(Type.BOOL, "the service declares an SLO", _FILE, example=True),
    "budget.remaining": Word(
        Type.DOUBLE,
        "share of error budget left, of the SLO with the least; below 0 overspent",
        _BUDGET,
        0.6,
        most=1.0,
    ),
    "budget.worst_slo": Word(
        Type.STRING, "the SLO with the least budget left", _BUDGET, "availability"
    ),
    "budget.exhausted": Word(Type.STRINGS, "SLOs with no budget left", _BUDGET, ("availability",)),
    "budget.coverage": Word(
        Type.DOUBLE,
        "share of its window that was seen, of the SLO of which least was",
        _BUDGET,
        0.99,
        least=0.0,
        most=1.0,
    ),
    **{
        f"budget.burn_{duration(window)}": Word(
            Type.DOUBLE,
            f"burn rate over {duration(window)}, of the fastest SLO; 1.0 spends a budget exactly",
            _BUDGET,
            0.6,
            least=0.0,
        )
        for window in WINDOWS
    },
    "budget.page_firing": Word(
        Type.STRINGS,
        "SLOs that burn so fast that someone is paged",
        _BUDGET,
        ("availability",),
    ),
    "budget.ticket_firing": Word(
        Type.STRINGS,
        "SLOs that burn so fast that it needs a ticket",
        _BUDGET,
        ("availability",),
    ),
    "budget.burn_before_rollout": Word(
        Type.DOUBLE,
        "burn rate of the hour before the canary started, of the fastest SLO",
        _BUDGET,
        0.6,
        least=0.0,
    ),
    "budget.burn_since_rollout": Word(
        Type.DOUBLE,
        "burn rate since the canary started, of the fastest SLO",
        _BUDGET,
        0.8,
        least=0.0,
    ),
    "budget.burn_started_before_rollout": Word(
        Type.BOOL,
        "a page already fired when the canary started: it is not the only suspect",
        _BUDGET,
        example=False,
    ),
    "risk.asked": Word(Type.BOOL, "the service names a source of the change", _FILE, example=True),
    "risk.level": Word(
        Type.STRING,
        "low, medium, high or critical, among the repository's own changes",
        _RISK,
        "low",
        known=tuple(map(str, Level)),
    ),
    "risk.percentile": Word(
        Type.DOUBLE,
        "percent of the repository's own changes that are less risky; needs 50 of them",
        _RISK,
        37.5,
        least=0.0,
        most=100.0,
    ),
    "risk.likelihood": Word(
        Type.DOUBLE,
        "bug-introducing likelihood of the change, 0 to 1; not that of an incident",
        _RISK,
        0.21,
        least=0.0,
        most=1.0,
    ),
    "change.lines": Word(Type.INT, "lines added and deleted", _CHANGE, 53, least=0),
    "change.files": Word(Type.INT, "files changed", _CHANGE, 3, least=0),
    "change.directories": Word(Type.INT, "directories with changed files", _CHANGE, 2, least=0),
    "change.commits": Word(
        Type.INT,
        "commits that are released at once; not in a shallow clone",
        _CHANGE,
        4,
        least=0,
    ),
    "change.touches": Word(
        Type.STRINGS,
        "kinds of files it changes: configuration, dependencies, infrastructure, migrations, "
        "pipeline, and those of the service file",
        _CHANGE,
        ("migrations",),
    ),
    "change.types": Word(
        Type.STRINGS,
        "types of its conventional commits (fix, feat, revert, ...; untyped for others), breaking, "
        "and of its labels (hotfix, revert, security, reliability, emergency)",
        _CHANGE,
        ("fix",),
        known=_TYPES,
    ),
    "change.components": Word(
        Type.STRINGS,
        "components with changed files, by `change.components` of the service file",
        _OWNERS,
        ("checkout",),
    ),
    "change.owners": Word(
        Type.STRINGS,
        "owners of the changed files, by the CODEOWNERS that the change replaces",
        _OWNERS,
        ("@acme/payments",),
    ),
    "change.dependents": Word(
        Type.INT,
        "what depends on the service directly, by its service file or the catalog",
        _OWNERS,
        2,
        least=0,
    ),
    "change.pull_asked": Word(
        Type.BOOL, "the service names a source of pull requests", _FILE, example=True
    ),
    "change.pull_requests": Word(
        Type.INT, "pull requests that are released at once", _PULL, 1, least=0
    ),
    "change.labels": Word(
        Type.STRINGS, "labels of the pull requests, those of all", _PULL, ("security",)
    ),
    "change.approvals": Word(
        Type.INT,
        "approvals of its last commit by others, of the pull request with the fewest",
        _PULL,
        1,
        least=0,
    ),
    "change.changes_requested": Word(Type.BOOL, "a reviewer wants changes", _PULL, example=False),
    "change.self_approved": Word(
        Type.BOOL,
        "some of it was approved or merged by nobody but those who wrote it",
        _PULL,
        example=False,
    ),
    "change.checks_failing": Word(
        Type.STRINGS, "checks that failed on what is released", _PULL, ("unit",)
    ),
    "change.checks_missing": Word(
        Type.STRINGS, "checks the branch requires and nobody started", _PULL, ("e2e",)
    ),
    "change.checks_pending": Word(Type.STRINGS, "checks that have not ended yet", _PULL, ("e2e",)),
    "change.flagged": Word(
        Type.BOOL,
        "all of it is behind a feature flag, by a label of each pull request or a trailer "
        "`Feature-Flag:` in each commit",
        _PULL,
        example=False,
    ),
    "calendar.frozen": Word(
        Type.BOOL,
        "a freeze holds for this release; one that its types or labels let pass does not",
        _FREEZES,
        example=False,
    ),
    "calendar.freeze": Word(
        Type.STRING, "the freeze that holds, of several the last to end; or empty", _FREEZES, ""
    ),
    "calendar.freeze_ends": Word(
        Type.STRING,
        "when it ends, by RFC 3339 in its zone; `none in sight`, or empty",
        _FREEZES,
        "2026-11-23T08:00:00+01:00",
    ),
    "calendar.minutes_left": Word(
        Type.DOUBLE,
        "minutes until it ends; 0 when none holds, 132480 (92 days) when no end is in sight",
        _FREEZES,
        0.0,
        least=0.0,
    ),
    "calendar.next_freeze": Word(
        Type.STRING, "the next freeze to begin within 92 days; or empty", _FREEZES, "weekend"
    ),
    "calendar.minutes_to_freeze": Word(
        Type.DOUBLE,
        "minutes until it begins; 132480 (92 days) when none is that near",
        _FREEZES,
        2_220.0,
        least=0.0,
        most=_QUARTER,
    ),
    "history.known_good": Word(
        Type.BOOL,
        "this version ran through before, and nothing bad was told of it since",
        _LEDGER,
        example=False,
    ),
    "history.overrides_30d": Word(
        Type.INT,
        "overrides granted for the service in the last 30 days; counted up to 100",
        "overrides in the ledger",
        0,
        least=0,
        most=100,
    ),
    "history.deployments": Word(
        Type.INT,
        "versions whose outcome was told in the last 90 days (of the last 100 told)",
        _LEDGER,
        24,
        least=0,
    ),
    "history.failure_rate": Word(
        Type.DOUBLE,
        "share of them rolled back or with an incident; needs 5 that were not aborted",
        _LEDGER,
        0.04,
        least=0.0,
        most=1.0,
    ),
    "history.component_failure_rate": Word(
        Type.DOUBLE,
        "the same among those that touched a component of this change",
        _LEDGER,
        0.1,
        least=0.0,
        most=1.0,
    ),
    "history.minutes_since_last": Word(
        Type.DOUBLE, "minutes since the last word about another version", _LEDGER, 180.0, least=0.0
    ),
    "history.last_result": Word(
        Type.STRING,
        "the last other version's: completed, rolled_back, aborted or incident",
        _LEDGER,
        "completed",
        known=tuple(map(str, Result)),
    ),
    "service.name": Word(Type.STRING, "the service", _FILE, "checkout"),
    "service.tier": Word(Type.INT, "0 (the most critical) to 2", _FILE, 1, least=0, most=2),
    "service.owner": Word(Type.STRING, "the owner in the service file", _FILE, "team-pay"),
    "service.labels": Word(Type.LABELS, "the labels in the service file", _FILE, {"region": "eu"}),
    "rollout.minutes": Word(
        Type.DOUBLE, "minutes since the canary started", _REQUEST, 31.0, least=0.0
    ),
    "rollout.seen_minutes": Word(
        Type.DOUBLE, "minutes of the rollout that were judged", _SEEN, 30.0, least=0.0
    ),
    "rollout.labels": Word(
        Type.STRINGS, "labels given with the request (`--label`)", _REQUEST, ("emergency",)
    ),
}
