"""Kayenta's queries as query templates of the gate.

Kayenta fills one template for each arm with that arm's `${scope}`; the gate fills `{{selector}}`.
So a matcher such as `app="${scope}"` becomes `{{selector}}` in the query, and the matcher itself
becomes the arms' selector.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from gate.kayenta_config import KayentaConfig, MetricConfig, QueryConfig
from gate.metric import Kind
from gate.template import OWN_WORDS

SELECTOR = "{{selector}}"
PLACEHOLDER = "REPLACE_ME"

_MATCHER = re.compile(
    r"""[A-Za-z_]\w*\s*(?:=~|!=|!~|=)\s*(?:"""
    r'''"(?:[^"\\]|\\.)*?\$\{scope\}(?:[^"\\]|\\.)*"'''
    r"""|'(?:[^'\\]|\\.)*?\$\{scope\}(?:[^'\\]|\\.)*')"""
)
_BARE = re.compile(r"(?<=[{,])(\s*)\$\{scope\}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}")
_WHOLE = re.compile(r"(sum|avg|min|max)\s*\((.*)\)", re.DOTALL)
_AGGREGATED = re.compile(
    r"\b(sum|avg|min|max|count|group|stddev|stdvar|quantile|histogram_quantile|topk|bottomk)\b\s*"
    r"(?:(?:by|without)\s*\([^)]*\)\s*)?\("
)
_BY_POD = re.compile(r"\bby\s*\([^)]*\b(pod|instance)\b")
_A_COUNTER = re.compile(r"_(total|count|sum)$")

ONE_SERIES = (
    "the query returns one series for all pods: 200 of its points are needed before anything is "
    "judged. One series for each pod (by (pod)) and kind gauge says more, sooner"
)


@dataclass(frozen=True, slots=True)
class Query:
    """A query template with its kind; `matcher`: how Kayenta told the arms apart, or empty."""

    kind: Kind
    text: str
    matcher: str = ""
    variables: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def query(metric: MetricConfig, config: KayentaConfig, *, by_pod: bool) -> Query:
    """What asks for the same series, as near as the gate can; `by_pod`: one for each pod."""
    asked = metric.query
    template = asked.custom_inline_template or _named(asked, config) or asked.custom_filter or ""
    template = template.replace("$\\{", "${").strip()
    expression = template.removeprefix("PromQL:").strip()
    complete = expression != template
    said = expression if complete else asked.metric_name
    if asked.system not in ("", "prometheus") or not said:
        return _foreign(asked)
    if not complete:
        return _filled(*_built(asked, template, by_pod=by_pod))
    return _filled(*(_by_pod(expression) if by_pod else (Kind.SAMPLES, expression, [])))


def _named(asked: QueryConfig, config: KayentaConfig) -> str:
    return config.templates.get(asked.custom_filter_template or "", "")


def _foreign(asked: QueryConfig) -> Query:
    written = json.dumps(asked.model_dump(by_alias=True, exclude_none=True), ensure_ascii=False)
    note = f"write a Prometheus query here; Kayenta asked {asked.system or 'for'}: {written}"
    return Query(Kind.GAUGE, f"{PLACEHOLDER}{{ {SELECTOR} }}", notes=(note,))


def _by_pod(expression: str) -> tuple[Kind, str, list[str]]:
    """The expression, aggregated for each pod where Kayenta compared all pods as one."""
    whole = _WHOLE.fullmatch(expression)
    if whole and _closed(whole[2]) and not _AGGREGATED.search(whole[2]):
        note = f"Kayenta compared the {whole[1]} over all pods; here each pod speaks for itself"
        return Kind.GAUGE, f"{whole[1]} by (pod, instance) ({whole[2]})", [note]
    if _AGGREGATED.search(expression) and not _BY_POD.search(expression):
        return Kind.SAMPLES, expression, [ONE_SERIES]
    return Kind.GAUGE, expression, ["the query must return one series for each pod"]


def _built(asked: QueryConfig, template: str, *, by_pod: bool) -> tuple[Kind, str, list[str]]:
    """From a metric's name and matchers; Kayenta adds the scope's matcher by itself."""
    name = asked.metric_name or ""
    matchers = [*(asked.label_bindings or ()), *([template] if template else ())]
    scoped = matchers if any("${scope}" in one for one in matchers) else [SELECTOR, *matchers]
    inner, notes = f"{name}{{ {','.join(scoped)} }}", []
    if _A_COUNTER.search(name):
        inner = f"rate({inner}[{{{{step}}}}])"
        notes.append("a counter only grows, so its rate is compared; Kayenta compared it raw")
    if not by_pod:
        return Kind.SAMPLES, f"avg({inner})", notes
    notes.append("Kayenta compared the average over all pods; here each pod speaks for itself")
    return Kind.GAUGE, f"avg by (pod, instance) ({inner})", notes


def _filled(kind: Kind, text: str, notes: list[str]) -> Query:
    """With the words of the gate for those of Kayenta."""
    found = _MATCHER.search(text)
    text = _BARE.sub(rf"\1{SELECTOR}", _MATCHER.sub(SELECTOR, text))
    text = text.replace(f"{{{SELECTOR}", f"{{ {SELECTOR}").replace(
        f"{SELECTOR}}}", f"{SELECTOR} }}"
    )
    if "${scope}" in text:
        notes = [*notes, "${scope} stands where no matcher does; say it with {{selector}}"]
    elif SELECTOR not in text:
        notes = [*notes, "nothing here tells the arms apart; add {{selector}} to the matchers"]
    matcher = found[0] if found else ""
    names = [name for name in _VARIABLE.findall(text + matcher) if name != "scope"]
    return Query(
        kind=kind,
        text=worded(text),
        matcher=matcher,
        variables=tuple(dict.fromkeys(_free(name) for name in names)),
        notes=tuple(notes),
    )


def worded(text: str, scope: str = "${scope}") -> str:
    """`${location}` as `{{location}}`, and `${scope}` as `scope` says.

    >>> worded('app="${scope}",region="${location}"', "{{canary}}")
    'app="{{canary}}",region="{{location}}"'
    """
    return _VARIABLE.sub(
        lambda match: scope if match[1] == "scope" else f"{{{{{_free(match[1])}}}}}", text
    )


def _free(name: str) -> str:
    """The variable's name, where the gate has no word of that name."""
    return f"kayenta_{name}" if name in OWN_WORDS else name


def _closed(inside: str) -> bool:
    """Whether the text between the first and last parenthesis is one balanced whole."""
    depth = 0
    for letter in inside:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0
