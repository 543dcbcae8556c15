"""Files of objectives in the making: each test changes a line or two of one that is right."""

from pathlib import Path

import pytest

from gate.errors import UsageError
from gate.objectives.reader import Declared, read
from gate.slo import Slo

DATA = Path(__file__).parent / "data"

OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'errors_total'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'requests_total'}}}
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.999
"""

SLOTH = """\
version: prometheus/v1
service: shop
slos:
  - name: requests
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(errors_total[{{.window}}]))
        total_query: sum(rate(requests_total[{{.window}}]))
"""

PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: web}
spec:
  target: "99.9"
  window: 28d
  indicator:
    ratio:
      errors: {metric: 'requests_total{code="500"}'}
      total: {metric: requests_total}
"""


def changed(text: str, old: str, new: str) -> str:
    """The text with one place of it written otherwise."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
    return text.replace(old, new)


def declared(folder: Path, text: str) -> Declared:
    file = folder / "slo.yaml"
    file.write_text(text)
    return read(file)


def only(folder: Path, text: str) -> Slo:
    """The one objective, read without a warning."""
    answer = declared(folder, text)
    assert answer.warnings == ()
    (slo,) = answer.slos
    return slo


def complaint(folder: Path, text: str) -> str:
    """What is said of a text that is refused, from its place on."""
    with pytest.raises(UsageError) as caught:
        declared(folder, text)
    return str(caught.value).replace(f"{folder}/", "")


def warnings(folder: Path, text: str) -> list[str]:
    return [told.replace(f"{folder}/", "") for told in declared(folder, text).warnings]
