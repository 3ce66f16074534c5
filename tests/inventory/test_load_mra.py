"""The way through a peer that clients take, as an inventory has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.inventory import load
from remediate.model.access import MraAccess, TlsTrust, peers_sharing_way
from remediate.model.errors import InventoryError
from tests.inventory.documents import ADDRESS, FINGERPRINT, SMALL, inventory

URL = "https://expe1.example.test:8443"


def with_mra(text: str) -> str:
    """Return the smallest inventory, whose peer has this `mra`."""
    return SMALL.replace(ADDRESS, f"{ADDRESS}\n          mra: {text}")


def test_a_url_is_enough(tmp_path: Path) -> None:
    [cluster] = load(inventory(tmp_path, with_mra(f'{{url: "{URL}"}}')))

    assert cluster.peers[0].mra == MraAccess("expe1.example.test", 8443)
    assert cluster.peers[0].mra.url == URL


def test_every_key_arrives_and_the_password_is_a_source(tmp_path: Path) -> None:
    # Given all that may be said, and an address of IP version 6
    mra = (
        f'{{url: "https://[2001:db8::1]:443/", tls: {{fingerprint: "{FINGERPRINT}"}}, domain: example.test, '
        "credentials: {username: probe, password: {env: PROBE_PASSWORD}}}"
    )
    # When it is read
    [cluster] = load(inventory(tmp_path, with_mra(mra)))
    # Then it is there, and no password
    access = cluster.peers[0].mra
    assert access is not None
    assert access.login is not None
    assert (access.host, access.port, access.domain) == ("2001:db8::1", 443, "example.test")
    assert (access.url, access.tls) == ("https://[2001:db8::1]:443", TlsTrust(fingerprint=FINGERPRINT))  # type: ignore[arg-type]
    assert (access.login.username, access.login.password.describe()) == ("probe", "environment variable PROBE_PASSWORD")


MISTAKES = {
    "no url": ("{domain: example.test}", ":9: `mra` lacks the key `url`."),
    "unknown key": (f'{{url: "{URL}", user: x}}', "`user` is not a key of `mra`."),
    "plain http": ('{url: "http://127.0.0.1:8080"}', ":9: `url` must begin with https://"),
    "no port": ('{url: "https://expe1.example.test"}', ":9: `url` must be https://HOST:PORT and nothing else"),
    "port out of range": ('{url: "https://expe1.example.test:70000"}', "must be https://HOST:PORT"),
    "path": (f'{{url: "{URL}/abc"}}', "must be https://HOST:PORT"),
    "no scheme": ('{url: "expe1.example.test:8443"}', "must be https://HOST:PORT"),
    "no host": ('{url: "https://:8443"}', "must be https://HOST:PORT"),
    "broken brackets": ('{url: "https://[::1:8443"}', "must be https://HOST:PORT"),
    "domain with a slash": (f'{{url: "{URL}", domain: a/b}}', ":9: `domain` must be the domain that clients sign in with"),
    "half an account": (f'{{url: "{URL}", credentials: {{username: x}}}}', "`credentials` lacks the key `password`."),
    "pin and CA": (f'{{url: "{URL}", tls: {{}}}}', "`tls` must have either `fingerprint` or `ca`."),
}


@pytest.mark.parametrize(("text", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_sentence_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    file = inventory(tmp_path, with_mra(text))

    with pytest.raises(InventoryError) as caught:
        load(file)

    assert str(caught.value).startswith(f"{file}:")
    assert sentence in str(caught.value)


def test_a_password_in_the_url_is_refused_and_never_shown(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load(inventory(tmp_path, with_mra('{url: "https://probe:hunter2@expe1.example.test:8443"}')))

    assert "hunter2" not in str(caught.value) + caught.value.next_step


def test_peers_behind_one_edge_share_its_address(tmp_path: Path) -> None:
    # Given two peers behind one Expressway-E, in two spellings, and a third that has its own
    second = f'        - {{address: expc2.example.test, mra: {{url: "{URL.replace("expe1", "EXPE1")}"}}}}\n'
    third = '        - {address: expc3.example.test, mra: {url: "https://expe3.example.test:8443"}}\n'
    (cluster,) = load(inventory(tmp_path, with_mra(f'{{url: "{URL}"}}') + second + third))
    # When each is asked for the peers that share its way, Then the first two name each other
    shared = [peers_sharing_way(cluster, peer.address) for peer in cluster.peers]
    assert shared == [("expc2.example.test",), ("expc1.example.test",), ()]
