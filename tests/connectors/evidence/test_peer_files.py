"""The files of an archive that describe its peer."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.peer_files import parse_name
from remediate.model.evidence import Evidence
from remediate.model.limits import Limits
from tests.pki import issue

ROOT, OTHER = issue("Root", ca=True).certificate, issue("Other", ca=True).certificate
OWN = issue("expc1.example.test").certificate
AT = "expc1_2026-09-22_12:58:19"
TEXT = """*c xConfiguration Ciphers ReverseProxyTLSCiphers Value: "EECDH:!aNULL"
*c xConfiguration Alternates Peer 1 Address: "10.0.0.1"
*c xConfiguration Ethernet 1 IP V4 Address: "10.0.0.1"
*c xConfiguration Administration LoginTimeout: "30"
*c xConfiguration SNMP CommunityName: "CANARY"
"""
XML = """<?xml version="1.0"?><Configuration xmlns="http://www.tandberg.no/XML/CUIL/1.0" product="TANDBERG VCS" version="X15.0.3">
<Alternates item="1"><ConfigurationPrimary item="1">2</ConfigurationPrimary>
<Peer item="1"><Address item="1">10.0.0.1</Address></Peer><Peer item="2"><Address item="1">10.0.0.2</Address></Peer></Alternates>
<Ethernet item="1"><IP item="1"><V4 item="1"><Address item="1">10.0.0.1</Address></V4></IP></Ethernet>
<Ciphers item="1"><ReverseProxyTLSCiphers item="1"><Value item="1">EECDH</Value></ReverseProxyTLSCiphers></Ciphers></Configuration>"""
STATUS = '*s SystemUnit: /\n  Uptime: "86400"\n  Software: /\n    Version: "X14.2.1"\n*s/end\n'


def read(folder: Path, **files: str) -> Evidence:
    """Return what is gathered from an archive with these files, named by their roles."""
    path = folder / "diagnostic_log.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            role, _, kind = name.rpartition("_")
            member = tarfile.TarInfo(f"{role}_{AT}.{kind}")
            member.size = len(text.encode())
            archive.addfile(member, BytesIO(text.encode()))
    return gather([path], Limits())


def test_the_files_of_one_archive_are_one_peer(tmp_path: Path) -> None:
    listed = f"O=X, CN=Root\n{ROOT.pem}\nO=X, CN=Other\n{OTHER.pem}"
    (peer,) = read(
        tmp_path, ca_pem=listed, server_pem=OWN.pem, client_pem=OWN.pem, xconf_dump_txt=TEXT, xstat_dump_txt=STATUS
    ).archived_peers
    assert (peer.host, peer.version) == ("expc1", "X14.2.1")
    assert peer.trusted == (ROOT, OTHER)
    assert peer.server_chain == peer.client_chain == (OWN,)
    assert peer.settings
    assert peer.settings["Ciphers ReverseProxyTLSCiphers Value"] == "EECDH:!aNULL"
    assert peer.ip_addresses == ("10.0.0.1",)


def test_nothing_else_of_the_configuration_is_kept(tmp_path: Path) -> None:
    (peer,) = read(tmp_path, xconf_dump_txt=TEXT).archived_peers
    assert "CANARY" not in repr(peer)


def test_the_xml_is_read_with_the_paths_of_the_shell(tmp_path: Path) -> None:
    (peer,) = read(tmp_path, xconf_dump_xml=XML, xconf_dump_txt=TEXT).archived_peers
    assert peer.version == "X15.0.3"
    assert peer.settings == {
        "Alternates ConfigurationPrimary": "2",
        "Alternates Peer 1 Address": "10.0.0.1",
        "Alternates Peer 2 Address": "10.0.0.2",
        "Ethernet 1 IP V4 Address": "10.0.0.1",
        "Ciphers ReverseProxyTLSCiphers Value": "EECDH",
    }


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"ca_pem": ROOT.pem[:200]}, "the list is truncated"),
        ({"ca_pem": "<html>"}, "web page"),
        ({"xconf_dump_xml": XML[:300]}, "truncated"),
        ({"xconf_dump_xml": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "document type"),
        ({"xconf_dump_txt": "x" * (9 * 1024 * 1024)}, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    evidence = read(tmp_path, **files)
    assert reason in evidence.unread_sources[0].reason
    assert all(peer.trusted is None and peer.settings is None for peer in evidence.archived_peers)


def test_other_files_are_no_files_of_a_peer() -> None:
    assert parse_name("ca_bundle.pem") is None
    assert parse_name("x.tar.gz > loggingsnapshot_expc1_2026-09-22_12:58:19.txt") is None
    name = parse_name("x.tar.gz > logs/ca_exp_c-1.example_2026-09-22_12_58_19.pem")
    assert name
    assert (name.role, name.host, name.kind) == ("ca", "exp_c-1.example", "pem")
