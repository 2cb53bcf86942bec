"""What watches the service agrees with what the service measures: alert rules, the dashboard, the guide."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client import REGISTRY

import app.asgi
import app.cli.relay
import app.cli.worker
import workers.push
from tests.house import ROOT

PROCESSES = (app.asgi, app.cli.relay, app.cli.worker, workers.push)
"""Whose figures are in the registry once they are imported."""

RULES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/customer-service.json").read_text(encoding="utf-8"))
GUIDE = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")

ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"] if panel["type"] != "row"}
EXPRESSIONS = {
    **{name: [rule["expr"]] for name, rule in ALERTS.items()},
    **{title: [target["expr"] for target in panel["targets"]] for title, panel in PANELS.items()},
}
"""Every expression in PromQL, by what it belongs to."""

NOT_OURS = ("python_", "process_", "stamina_")


def parts(expression: Any) -> Iterator[Any]:
    """Yield an expression and everything in it."""
    yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        inner = getattr(expression, name, None)
        if inner is not None:
            yield from parts(inner)
    for inner in getattr(expression, "args", None) or ():
        yield from parts(inner)


def ours() -> dict[str, set[str]]:
    """Return the labels of each name in the registry that is ours."""
    return {
        name: {*getattr(collector, "_labelnames", ()), *({"le"} if name.endswith("_bucket") else ())}
        for name, collector in REGISTRY._names_to_collectors.items()
        if not name.startswith(NOT_OURS)
    }


@pytest.mark.parametrize("where", sorted(EXPRESSIONS))
def test_every_expression_asks_for_what_is_measured(where: str) -> None:
    known = ours()
    for text in EXPRESSIONS[where]:
        found = list(parts(promql_parser.parse(text)))
        selectors = [part for part in found if isinstance(part, promql_parser.VectorSelector)]
        labels = {matcher.name for selector in selectors for matcher in selector.matchers.matchers}
        labels |= {
            label
            for part in found
            if isinstance(part, promql_parser.AggregateExpr) and part.modifier
            for label in part.modifier.labels
        }

        assert selectors
        assert [] == [selector.name for selector in selectors if selector.name not in known]
        assert set() == labels - set().union(*(known[str(selector.name)] for selector in selectors))


@pytest.mark.parametrize("name", sorted(ALERTS))
def test_every_alert_says_how_bad_it_is_and_what_it_means(name: str) -> None:
    rule = ALERTS[name]

    assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"].endswith((".", "}."))
    assert re.fullmatch(r"CustomerService\w+", name)


def test_no_two_panels_lie_on_top_of_each_other() -> None:
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert 24 > max(x for x, _ in cells)
    assert len(DASHBOARD["panels"]) == len({panel["id"] for panel in DASHBOARD["panels"]})


def families() -> set[str]:
    return {family.name for family in REGISTRY.collect() if not family.name.startswith(NOT_OURS)}


def test_the_guide_explains_everything_that_is_measured_and_nothing_else() -> None:
    explained = set(re.findall(r"^\| `([a-z_]+?)(?:_total)?` ", GUIDE, re.MULTILINE))

    assert {name for name in families() if not name.startswith(("live", "test"))} | {"live_connections"} == explained


def test_the_dashboard_shows_everything_that_is_measured() -> None:
    text = json.dumps(DASHBOARD)

    assert [] == [name for name in sorted(families()) if name not in text]
