"""`collect --archive` on archives that the lab writes: the same plan as a live look gives, but for what is said to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remediate.lab import Lab
from remediate.lab.packets import PacketTap
from tests.cli.conftest import Remediate

Archive = Callable[..., list[Path]]


def write_archives(lab: Lab, folder: Path, *, peers: tuple[int, ...] = (0, 1, 2)) -> list[Path]:
    """Ask through these peers for everything while logging, and write their archives to `folder`."""
    logs = lab.diagnostics
    logs.request(lab.peers[0], {"Mode": "start", "TCPDump": "on"})
    for number in peers:
        for target in lab.targets:
            lab.ask(number, target.address, target.port)
    logs.request(lab.peers[0], {"Mode": "stop"})
    paths = []
    for number in peers:
        peer = lab.peers[number]
        logs.request(peer, {"Mode": "collect"})
        while logs.status(peer) != "Ready to download":
            pass
        file = logs.request(peer, {"Mode": "download"}).file
        assert file
        paths.append(folder / f"{number}.tar.gz")
        paths[-1].write_bytes(file)
    return paths


@pytest.fixture(params=["story", "same-cn-stuck"])
def archived_lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab of its own."""
    tap = PacketTap.start([])
    if tap is None:
        pytest.skip("this user may not capture packets")
    tap.stop()
    with Lab(tmp_path / "lab", request.param) as lab:
        yield lab


def of_kind(plan: Any, kind: str) -> list[tuple[str, tuple[str, ...]]]:
    return sorted(
        (action["certificate"], tuple(sorted(action["peers"]))) for action in plan["actions"] if action["kind"] == kind
    )


def verdicts(plan: Any, when: str) -> dict[tuple[str, str, int], tuple[bool, str | None]]:
    return {
        (entry["peer"], entry["address"], entry["port"]): (entry[when]["ok"], entry[when]["cause"])
        for entry in plan["endpoints"]
    }


def test_an_archive_gives_the_plan_of_a_live_look(remediate: Remediate, archived_lab: Lab, tmp_path: Path) -> None:
    paths = write_archives(archived_lab, tmp_path)
    snapshot = tmp_path / "snapshot.json"

    collected = remediate("collect", "--archive", *paths, "-c", archived_lab.name, "-o", snapshot)
    vouched = [option for file in (archived_lab.directory / "pki").glob("corporate.pem") for option in ("--ca", file)]
    offline = remediate("plan", "--snapshot", snapshot, *vouched, "--json").document
    live = remediate("plan", "-i", archived_lab.inventory, "--ciphers", "keep", "--json").document

    assert collected.code == 4
    assert offline["base"] == live["base"]
    assert of_kind(offline, "trust-certificate") == of_kind(live, "trust-certificate")
    assert verdicts(offline, "before") == verdicts(live, "before")
    assert verdicts(offline, "after") == verdicts(live, "after")
    # What differs is said: discovery is not refreshed, other certificates of a node and other nodes may exist.
    assert not offline["complete"]
    assert any("cipher lists are left alone" in note for note in offline["notes"])
    assert "publishers" in collected.out


def test_a_peer_without_an_archive_is_not_observed(remediate: Remediate, archived_lab: Lab, tmp_path: Path) -> None:
    (path,) = write_archives(archived_lab, tmp_path, peers=(0,))
    document = remediate("collect", "--archive", path, "--json").document
    errors = {peer["address"]: peer["error"] for peer in document["peers"]}
    assert errors[archived_lab.peers[0].address] is None
    assert "there is no archive of this peer" in errors[archived_lab.peers[2].address]
    assert [peer["primary"] for peer in document["peers"]] == [True, False, False]
    assert {endpoint["seen_by"] for endpoint in document["endpoints"]} == {"archive"}
    # The lab's traffic server runs on the OpenSSL of this machine, and its log shows which.
    assert [peer["openssl"] for peer in document["peers"]] == ["3.x", None, None]


def test_an_endpoint_without_a_handshake_is_not_observed(remediate: Remediate, lab: Lab, tmp_path: Path) -> None:
    logs, peer = lab.diagnostics, lab.peers[0]
    logs.request(peer, {"Mode": "start"})
    lab.ask(0, "cucm.steven.lab", 6972)
    logs.request(peer, {"Mode": "stop"})
    logs.request(peer, {"Mode": "collect"})
    while logs.status(peer) != "Ready to download":
        pass
    file = logs.request(peer, {"Mode": "download"}).file
    (tmp_path / "log.tar.gz").write_bytes(file or b"")
    document = remediate("collect", "--archive", tmp_path / "log.tar.gz", "--json").document
    (endpoint,) = document["endpoints"]
    assert (endpoint["address"], endpoint["port"], endpoint["presented"]) == ("cucm.steven.lab", 6972, {})
    assert endpoint["error"].startswith("not observed")


def test_a_log_alone_is_no_archive_of_a_peer(remediate: Remediate, tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text("nothing\n")
    ended = remediate("collect", "--archive", tmp_path / "log.txt")
    assert ended.code == 1
    assert "no diagnostic archive of a peer" in ended.err


@pytest.mark.parametrize(
    "arguments", [[], ["log"], ["--archive", "log", "-i", "inventory.yml"], ["--archive", "log", "-c", "a", "-c", "b"]]
)
def test_a_command_line_of_neither_form_is_refused(remediate: Remediate, arguments: list[str]) -> None:
    assert remediate("collect", *arguments).code == 64


def test_diagnose_judges_by_the_list_in_the_archive(remediate: Remediate, archived_lab: Lab, tmp_path: Path) -> None:
    paths = write_archives(archived_lab, tmp_path, peers=(0,))
    document = remediate("diagnose", *paths, "--json").document
    judged = [chain["ok"] for finding in document["findings"] for end in finding["captured"] for chain in end["chains"]]
    assert True in judged
    assert False in judged
    text = " ".join(remediate("diagnose", *paths).out.split())
    assert "Verified with the trusted CA list in the archive of expc1." in text


def test_where_lists_differ_each_verdict_names_its_list(remediate: Remediate, archived_lab: Lab, tmp_path: Path) -> None:
    archived_lab.peers[2].trusted[:] = archived_lab.peers[2].trusted[:1]
    paths = write_archives(archived_lab, tmp_path, peers=(0, 2))
    text = remediate("diagnose", *paths).out
    assert "by the list of expc1:" in text
    assert "by the list of expc3:" in text


def test_a_list_that_is_not_loaded_needs_a_restart(remediate: Remediate, archived_lab: Lab, tmp_path: Path) -> None:
    # Given a certificate that was added to the list, and a traffic server that does not use it yet
    peer = archived_lab.peers[0]
    presented = archived_lab.node("cucm.steven.lab").presented[6972]
    leaf = next(chain[0] for chain in presented.values() if chain[0].self_signed)
    archived_lab.cluster.append_trusted(peer, [leaf])
    captured, *_ = write_archives(archived_lab, tmp_path, peers=(0,))
    advice = [
        sentence
        for finding in remediate("diagnose", captured, "--json").document["findings"]
        if (finding["address"], finding["port"]) == ("cucm.steven.lab", 6972)
        for sentence in finding["advice"]
    ]
    assert any("nothing to add" in sentence for sentence in advice)
    assert any("remediate restart" in sentence for sentence in advice)
    assert not any(sentence.startswith(("Trust", "Add")) for sentence in advice)
