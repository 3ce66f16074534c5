"""The lab as a whole: side by side, stopped cleanly, with an inventory for the newcomer."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import yaml

from remediate.lab import Lab, LabError


def test_two_labs_run_side_by_side_with_passwords_of_their_own(tmp_path: Path) -> None:
    with Lab(tmp_path / "a", judge=False) as first, Lab(tmp_path / "b", judge=False) as second:
        assert {peer.address for peer in first.peers}.isdisjoint(peer.address for peer in second.peers)
        assert first.accounts.password != second.accounts.password


def test_it_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    with Lab(tmp_path, judge=False) as lab:
        lab.ask_all()
    for thread in set(threading.enumerate()) - before:
        thread.join(5)

    assert set(threading.enumerate()) <= before


def test_stopping_twice_does_nothing(tmp_path: Path) -> None:
    lab = Lab(tmp_path, judge=False)
    lab.start()
    lab.stop()
    lab.stop()


def test_the_inventory_pins_every_peer_and_holds_no_password(story: Lab) -> None:
    text = story.inventory.read_text()
    (cluster,) = yaml.safe_load(text)["clusters"]

    assert [peer["address"] for peer in cluster["expressway"]["peers"]] == [peer.address for peer in story.peers]
    assert [peer["tls"]["fingerprint"] for peer in cluster["expressway"]["peers"]] == [peer.fingerprint for peer in story.peers]
    assert all(peer["ssh"]["host_key"].startswith("SHA256:") for peer in cluster["expressway"]["peers"])
    assert all(node["connect_to"].startswith("127.") for node in cluster["unified_communications"]["nodes"])
    assert story.accounts.password not in text
    assert (story.directory / "secrets" / "expressway").stat().st_mode & 0o077 == 0


def test_what_a_person_compared_on_the_consoles_is_in_a_file(story: Lab) -> None:
    imp = story.pki.certificate("imp.steven.lab/tomcat/rsa")

    assert f"{imp.fingerprint}  # imp.steven.lab tomcat\n" in story.approvals.read_text()


def test_an_unknown_scenario_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="there are story, x15, reloads-by-itself, one-edge"):
        Lab(tmp_path, "no-such-story")
