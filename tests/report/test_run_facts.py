"""Facts of a run in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.executor.operations import REGISTRY
from remediate.language.messages import translate, use_language
from remediate.model.effect import ClientState, ClientView
from remediate.report.run_facts import describe_clients, describe_fact, list_peer_work, name_step
from tests.report.run_examples import measured_pairs


@pytest.mark.parametrize("kind", REGISTRY)
def test_each_kind_of_step_has_words(kind: str) -> None:
    words = name_step({"kind": kind})
    assert "-" not in words
    assert words != kind


def test_a_step_of_a_later_version_has_its_kind() -> None:
    assert name_step({"kind": "some-later-step"}) == "some-later-step"


def test_a_fact_has_its_name_in_the_language_in_use() -> None:
    assert describe_fact("publisher", "cucm.test") == "publisher cucm.test"
    use_language("fr")
    assert describe_fact("publisher", "cucm.test") == "éditeur cucm.test"
    assert describe_fact("zones", "[]") == "zones []"


def test_changes_beside_the_lists_are_in_words() -> None:
    step = {"peer": "p", "kind": "refresh-discovery", "state": "done", "started_at": "2026-11-23T10:00:00Z", "ended_at": None}
    [work] = list_peer_work({"peers": ["p"], "steps": [step], "in_effect": None})
    assert work.other_changes == ("refresh discovery (done)",)
    [work] = list_peer_work({"peers": ["p"], "steps": [step, step], "in_effect": None})
    assert work.other_changes == ("2 times refresh discovery (done)",)


def test_counts_of_changes_and_answers_agree_in_french() -> None:
    use_language("fr")
    pair = measured_pairs()[0]
    pairs = [replace(pair, client=ClientView(state)) for state in (*[ClientState.NOT_KNOWN] * 3, ClientState.REACHED)]

    assert translate(describe_clients(pairs)) == "Clients : 1 succès, 3 résultats inconnus."
    assert translate("2 times refresh discovery (done)") == "2 fois actualiser la découverte (fait)"
