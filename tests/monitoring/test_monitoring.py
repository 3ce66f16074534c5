"""Metrics, alerts and dashboard: as promtool judges them, and by the names that they use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.conftest import RunPromtool

ROOT = Path(__file__).parents[2]
ALERTS, DASHBOARD = ROOT / "monitoring" / "alerts.yml", ROOT / "monitoring" / "dashboard.json"
METRIC = re.compile(r"\bremediate_[a-z_]+")
SELECTOR = re.compile(r"\b(remediate_[a-z_]+)\{([^}]*)\}")

# One series for each alert that is to fire, and one of a healthy cluster that raises none
FIRING = {
    "RemediateLookIsOld": 'remediate_look_timestamp_seconds{cluster="edge"} 0',
    "RemediateLookFails": 'remediate_exit_code{cluster="edge"} 70',
    "RemediatePeerNotRead": 'remediate_peer_observed{cluster="edge",peer="p"} 0',
    "RemediateIncomplete": 'remediate_complete{cluster="edge"} 0',
    "RemediateEndpointRefused": 'remediate_checks{cluster="edge",peer="p",verdict="refused"} 3',
    "RemediateClientRefused": 'remediate_clients{cluster="edge",peer="p",state="refused"} 1',
    "RemediateNotInEffect": 'remediate_in_effect{cluster="edge",peer="p",state="no"} 1',
    "RemediateEffectNotKnown": 'remediate_in_effect{cluster="edge",peer="p",state="not-known"} 1',
    "RemediateWorkaroundOn": 'remediate_workaround_on{cluster="edge",peer="p"} 1',
    "RemediateListsDiffer": 'remediate_trusted_list_differs{cluster="edge",peer="p"} 1',
    "RemediateNodeRefusesPeer": 'remediate_node_refusals{cluster="edge",peer="p"} 2',
    "RemediateCertificateEnds": 'remediate_certificate_end_timestamp_seconds{cluster="edge",use="own"} 2000000',
    "RemediateCertificateEndsSoon": 'remediate_certificate_end_timestamp_seconds{cluster="edge",use="presented"} 400000',
}
HEALTHY = [
    'remediate_exit_code{cluster="edge"} 10',
    'remediate_peer_observed{cluster="edge",peer="p"} 1',
    'remediate_complete{cluster="edge"} 1',
    'remediate_checks{cluster="edge",peer="p",verdict="refused"} 0',
    'remediate_in_effect{cluster="edge",peer="p",state="no"} 0',
    'remediate_workaround_on{cluster="edge",peer="p"} 0',
    'remediate_trusted_list_differs{cluster="edge",peer="p"} 0',
    'remediate_node_refusals{cluster="edge",peer="p"} 0',
    'remediate_certificate_end_timestamp_seconds{cluster="edge",use="trusted"} 0',
    'remediate_certificate_end_timestamp_seconds{cluster="edge",use="own"} 99000000',
]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def series(lines: list[str]) -> list[dict[str, str]]:
    """Return constant series of 25 hours, in the notation of promtool."""
    return [{"series": line.rpartition(" ")[0], "values": f"{line.rpartition(' ')[2]}x1500"} for line in lines]


def labels_by_metric(metrics: str) -> dict[str, set[str]]:
    families = text_string_to_metric_families(metrics)
    return {family.name: {label for sample in family.samples for label in sample.labels} for family in families}


def test_promtool_accepts_the_metrics(metrics: str, promtool: RunPromtool) -> None:
    judged = promtool("check", "metrics", text=metrics)

    assert (judged.returncode, judged.stdout + judged.stderr) == (0, "")


def test_promtool_accepts_the_alerts(promtool: RunPromtool) -> None:
    judged = promtool("check", "rules", ALERTS)

    assert (judged.returncode, f"{len(rules())} rules found" in judged.stdout) == (0, True), judged.stderr


def test_each_alert_fires_on_its_series_and_on_no_healthy_one(promtool: RunPromtool, tmp_path: Path) -> None:
    assert [rule["alert"] for rule in rules()] == list(FIRING)
    firing = [
        {
            "interval": "1m",
            "input_series": series([line]),
            "promql_expr_test": [{"expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}})', "eval_time": "1500m",
                                  "exp_samples": [{"labels": "{}", "value": 1}]}],
        }
        for name, line in FIRING.items()
    ]  # fmt: skip
    quiet = {
        "interval": "1m",
        "input_series": series(HEALTHY),
        "promql_expr_test": [{"expr": "ALERTS", "eval_time": "1500m", "exp_samples": []}],
    }
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [*firing, quiet]}))

    judged = promtool("test", "rules", "tests.yml")

    assert judged.returncode == 0, judged.stdout + judged.stderr


def queries() -> list[str]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("source", ["alerts", "dashboard"])
def test_names_and_labels_are_those_of_the_metrics(source: str, metrics: str) -> None:
    known_labels = labels_by_metric(metrics)
    expressions = [rule["expr"] for rule in rules()] if source == "alerts" else queries()

    for expression in expressions:
        assert set(METRIC.findall(expression)) <= set(known_labels), expression
        for name, selector in SELECTOR.findall(expression):
            labels = set(re.findall(r"(\w+)(?:=~|!=|=)", selector))
            assert labels <= known_labels[name] or not known_labels[name], expression


def test_the_dashboard_shows_every_metric(metrics: str) -> None:
    assert set(METRIC.findall(DASHBOARD.read_text())) == set(labels_by_metric(metrics))


def test_the_page_lists_every_metric_with_its_labels(metrics: str) -> None:
    rows = re.findall(r"^\| `(remediate_\w+)` \| (.*?) \|", (ROOT / "docs" / "watching.md").read_text(), re.MULTILINE)
    listed = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}

    known_labels = labels_by_metric(metrics)
    assert set(listed) == set(known_labels)
    # One without a sample shows no label
    assert all(labels - {"cluster"} == listed[name] for name, labels in known_labels.items() if labels)
