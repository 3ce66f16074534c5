"""The refresh of discovery: last, once, on the primary; what it changed is said, and what it would risk is left to a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.formats import plan_document, plan_id
from remediate.model.health import Health
from remediate.model.plan import Plan, RefreshDiscovery
from remediate.model.snapshot import Publisher
from tests.executor.clusters import CUCM_RSA, endpoint, plan_for, story
from tests.executor.conftest import Desk
from tests.executor.memory import MemoryCluster


def with_warning(plan: Plan, warning: str) -> Plan:
    """Return the plan with its refresh left to a person for this reason."""
    actions = tuple(
        replace(action, by="person", warning=warning) if isinstance(action, RefreshDiscovery) else action
        for action in plan.actions
    )
    new_plan = replace(plan, actions=actions)
    return replace(new_plan, id=plan_id(plan_document(new_plan)))


def test_discovery_is_refreshed_once_after_the_restarts(desk: Desk) -> None:
    cluster = story()

    desk.apply(cluster, plan_for(cluster), restart="rolling")

    kinds = [write.action.partition(" ")[0] for write in cluster.writes]
    assert kinds.count("refresh") == 1
    assert (kinds[-1], cluster.writes[-1].peer) == ("refresh", cluster.device(1).address)
    assert "restart" in kinds


@pytest.mark.parametrize("dry_run", [True, False])
def test_its_price_is_reported_before_it_runs(dry_run: bool, desk: Desk) -> None:
    cluster = story()

    desk.apply(cluster, plan_for(cluster), dry_run=dry_run)

    assert sum("5 to 45 seconds" in text for text in desk.messages("reminder")) == 1
    assert cluster.refreshed == (0 if dry_run else 1)


def test_an_open_step_leaves_the_refresh_to_a_person(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.device(1).up = False

    result = desk.apply(cluster, plan, allow_incomplete=True)

    assert (result.exit_code, cluster.refreshed) == (8, 0)
    assert any("When the steps above are done: On the primary" in text for text in desk.messages("manual-step"))


def test_a_manual_refresh_ends_with_what_must_come_first(desk: Desk) -> None:
    cluster = story()
    result = desk.apply(cluster, with_warning(plan_for(cluster), "Do not refresh yet."))

    assert (result.exit_code, cluster.refreshed) == (0, 0)
    [reminder] = desk.messages("manual-step")
    assert "Refresh servers" in reminder
    assert reminder.endswith("Do not refresh yet.")


def test_a_setting_that_a_refresh_changed_is_an_open_step(desk: Desk) -> None:
    cluster = story()

    def reset(cluster: MemoryCluster) -> None:
        cluster.settings["AesGcm"] = "on"

    cluster.on_refresh = reset
    result = desk.apply(cluster, plan_for(cluster))

    assert (result.exit_code, result.state) == (8, "partial")
    assert "AesGcm from off to on of cucm.example.test" in result.open_steps[0].text


def test_what_discovery_lost_and_found_is_reported(desk: Desk) -> None:
    cluster = story()
    cluster.device(1).health = Health(zones={"CEtcp-cucm": True, "CEtls-sub": True, "UC traversal": True})

    def discover(cluster: MemoryCluster) -> None:
        cluster.device(1).health = Health(zones={"CEtcp-cucm": True, "CEtcp-new": True})
        cluster.endpoints = (*cluster.endpoints, endpoint("new.example.test", 8443, CUCM_RSA))

    cluster.on_refresh = discover
    desk.apply(cluster, plan_for(cluster))

    assert {text for text in desk.messages("warning") if text.startswith("After the refresh")} == {
        "After the refresh, discovery also finds new.example.test (cucm).",
        "After the refresh, the primary no longer has the zones CEtls-sub.",
        "After the refresh, the primary has new zones: CEtcp-new.",
    }


def test_zones_that_were_not_read_are_not_compared(desk: Desk) -> None:
    cluster = story()
    cluster.device(1).says = {"zones": None}
    cluster.on_refresh = lambda cluster: cluster.device(1).says.update(zones={"CEtcp-cucm": True})

    desk.apply(cluster, plan_for(cluster))

    assert not any(text.startswith("After the refresh") for text in desk.messages("warning"))


def test_a_publisher_that_is_gone_is_left_to_a_person(desk: Desk) -> None:
    cluster = story()
    plan = plan_for(cluster)
    cluster.publishers = (Publisher(cluster.publishers[0].address, "imp", "rest"),)

    assert desk.apply(cluster, plan).exit_code == 0
    assert cluster.refreshed == 0
    assert any("Refresh servers" in text for text in desk.messages("manual-step"))
