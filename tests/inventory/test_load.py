"""Inventory files: what a good one gives, and the one sentence that a bad one gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.inventory import load
from remediate.model.access import HostKeyTrust, NodeAccess, TlsTrust
from remediate.model.errors import InventoryError
from remediate.model.plan import Policy
from remediate.model.restart import RestartPolicy
from tests.inventory.documents import ADDRESS, FINGERPRINT, HOST_KEY, SMALL, WHOLE, inventory


def test_the_smallest_inventory_has_the_documented_defaults(tmp_path: Path) -> None:
    [cluster] = load(inventory(tmp_path, SMALL))

    [peer] = cluster.peers
    assert (cluster.name, cluster.login.username, cluster.source.name) == ("edge-paris", "admin", "inventory.yml")
    assert (peer.address, peer.rest_port, peer.ssh_port) == ("expc1.example.test", 443, 22)
    assert (peer.tls, peer.ssh, cluster.policy) == (TlsTrust(), HostKeyTrust(), Policy())
    assert (cluster.axl, cluster.platform, cluster.nodes, cluster.ca) == (None, None, (), ())
    assert cluster.rest_login == cluster.login


def test_every_key_of_the_contract_arrives(tmp_path: Path) -> None:
    [cluster] = load(inventory(tmp_path, WHOLE))

    first, second = cluster.peers
    assert (first.rest_port, first.ssh_port) == (7443, 5022)
    assert (first.tls.fingerprint, first.ssh.host_key) == (FINGERPRINT, HOST_KEY)
    assert (second.tls.ca, second.ssh.known_hosts) == (tmp_path / "pki/web.pem", tmp_path / "hosts")
    assert (cluster.login.username, cluster.rest_login.username) == ("admin", "api")
    assert cluster.rest_login.password.describe() == "environment variable API_PASSWORD"
    assert cluster.axl is not None
    assert cluster.axl.password.describe() == "environment variable AXL_PASSWORD"
    assert cluster.platform is not None
    assert cluster.platform.password.describe() == f"file {tmp_path}/os.secret"
    assert cluster.nodes == (
        NodeAccess(first.address.__class__("cucm.steven.lab"), "cucm", "127.0.0.21", (8443, 6972)),
        NodeAccess(first.address.__class__("10.48.36.215"), "unity"),
    )
    assert cluster.policy == Policy(ciphers="keep", allow_removal=True, trust_self_signed=False)
    assert cluster.restarts == RestartPolicy("rolling", "end")
    assert cluster.ca == (tmp_path / "pki",)
    assert cluster.notify == ("/usr/local/bin/page", "edge")


def test_a_fingerprint_may_be_written_as_openssl_prints_it(tmp_path: Path) -> None:
    [cluster] = load(inventory(tmp_path, WHOLE.replace(FINGERPRINT, "sha256:" + ":".join(["AB"] * 32))))

    assert cluster.peers[0].tls.fingerprint == FINGERPRINT


def test_a_folder_is_the_sum_of_its_files_in_order(tmp_path: Path) -> None:
    inventory(tmp_path, SMALL.replace("edge-paris", "edge-rome"), "b.yaml")
    inventory(tmp_path, SMALL, "a.yml")

    assert [cluster.name for cluster in load(tmp_path)] == ["edge-paris", "edge-rome"]


def test_one_name_in_two_files_names_both_places(tmp_path: Path) -> None:
    inventory(tmp_path, SMALL, "a.yml")
    inventory(tmp_path, SMALL, "b.yml")

    with pytest.raises(InventoryError, match=r"b\.yml:3: the cluster `edge-paris` is already defined at .*a\.yml:3\."):
        load(tmp_path)


PEERS = f"peers:\n        {ADDRESS}"
MISTAKES = {
    "unknown key": (
        "username: admin",
        "user_name: admin",
        ":5: `user_name` is not a key of `expressway`. Did you mean `username`?",
    ),
    "hyphen for underscore": (ADDRESS, "- {address: a.b, rest-port: 1}", "Did you mean `rest_port`?"),
    "far from every key": (
        ADDRESS,
        "- {address: a.b, zzz: 1}",
        "Known: address, rest_port, ssh_port, tls, ssh, mra.",
    ),
    "missing key": ("      username: admin\n", "", ":5: `expressway` lacks the key `username`."),
    "doubled key": (
        "username: admin",
        "username: admin\n      username: root",
        ":6: `username` is listed twice in `expressway`.",
    ),
    "wrong version": ("version: 1", "version: 2", ":1: this remediate reads inventory version 1, not 2."),
    "version as octal": ("version: 1", "version: 01", "`version` must be a whole number from 1, in decimal"),
    "version as text": ("version: 1", "version: one", ":1: `version` must be a whole number, not a string."),
    "number for a name": (
        "name: edge-paris",
        "name: 42",
        ":3: `name` must be text, and YAML reads it as a number: put it in quotes.",
    ),
    "name with a slash": ("name: edge-paris", "name: ../x", ":3: `name` may have letters"),
    "list for text": ("username: admin", "username: [admin]", ":5: `username` must be text, not a list."),
    "text for a list": (PEERS, "peers: expc1", ":7: `peers` must be a list, not a string."),
    "no peers": (PEERS, "peers: []", ":7: `peers` is empty"),
    "peer as text": (ADDRESS, "- expc1.example.test", ":8: `peers[0]` must be keys and values (address,"),
    "peer twice": (
        ADDRESS,
        "- address: a.b\n        - address: a.b",
        ":9: the peer a.b is listed twice in `peers`.",
    ),
    "URL for an address": (
        "address: expc1.example.test",
        "address: https://expc1",
        ":8: `address` must be a single host name or IP address",
    ),
    "port out of range": (
        ADDRESS,
        "- {address: a.b, rest_port: 70000}",
        ":8: `rest_port` is 70000, but a port is 1 to 65535.",
    ),
    "port as text": (
        ADDRESS,
        "- {address: a.b, rest_port: '443'}",
        ":8: `rest_port` must be a whole number, not a string.",
    ),
    "short fingerprint": (
        ADDRESS,
        "- {address: a.b, tls: {fingerprint: 'sha256:ab'}}",
        ":8: `fingerprint` must be `sha256:` and the 64",
    ),
    "md5 host key": (
        ADDRESS,
        "- {address: a.b, ssh: {host_key: 'MD5:ab'}}",
        ":8: `host_key` must be `SHA256:` and 43 characters",
    ),
    "pin and CA": (ADDRESS, "- {address: a.b, tls: {}}", ":8: `tls` must have either `fingerprint` or `ca`."),
    "missing file": (ADDRESS, "- {address: a.b, tls: {ca: gone.pem}}", "gone.pem, which does not exist."),
    "tab": ("  - name: edge-paris", "\t- name: edge-paris", ":3: is not YAML: it has a tab where YAML takes blanks only."),
    "no blank": ("name: edge-paris", "name:edge-paris", ":3: is not YAML: a blank is missing after the colon of its key."),
    "no blank further down": (
        "username: admin",
        "username:admin",
        ":5: is not YAML: a blank is missing after the colon of its key.",
    ),
    "not YAML": ("name: edge-paris", "name: [", ":5: is not YAML: “expected ',' or ']', but got"),
}


@pytest.mark.parametrize(("good", "bad", "sentence"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gives_file_line_key_and_what_is_right(tmp_path: Path, good: str, bad: str, sentence: str) -> None:
    assert good in SMALL
    file = inventory(tmp_path, SMALL.replace(good, bad))

    with pytest.raises(InventoryError) as caught:
        load(file)

    assert str(caught.value).startswith(f"{file}:")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_product_names_the_nearest(tmp_path: Path) -> None:
    file = inventory(tmp_path, WHOLE.replace("product: cucm", "product: cucn"))

    with pytest.raises(
        InventoryError, match=r"`product` is `cucn`, but must be `cucm`, `imp` or `unity`\. Did you mean `cucm`\?"
    ):
        load(file)


@pytest.mark.parametrize("word", ["hunter2", "'hunter2'", "{hunter2}", "[hunter2]", "*hunter2", "!hunter2!x y", "'hunter2"])
def test_a_password_in_clear_is_refused_and_never_shown(tmp_path: Path, word: str) -> None:
    file = inventory(tmp_path, SMALL.replace("{env: EXPC_PASSWORD}", word))

    with pytest.raises(InventoryError) as caught:
        load(file)

    assert "hunter2" not in str(caught.value) + caught.value.next_step
    assert "hunter2" not in repr(caught.value.__cause__)


def test_a_password_in_clear_is_answered_with_how_to_write_it(tmp_path: Path) -> None:
    file = inventory(tmp_path, SMALL.replace("{env: EXPC_PASSWORD}", "hunter2"))

    with pytest.raises(InventoryError, match=r"write `password: \{env: NAME\}`"):
        load(file)


@pytest.mark.parametrize("content", ["", "# only a comment\n", "[]", "a\x00b", "\xff"])
def test_a_file_that_is_no_inventory_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "inventory.yml"
    file.write_bytes(content.encode("latin-1"))

    with pytest.raises(InventoryError, match=r"inventory\.yml"):
        load(file)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no such inventory file"):
        load(tmp_path / "gone.yml")
    with pytest.raises(InventoryError, match=r"has no \.yml"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("spelling", "host"),
    [
        ("cucm1.example.test:8443", "cucm1.example.test"),
        ("https://cucm1.example.test:8443/ccmadmin?x=1", "cucm1.example.test"),
        ("https://cucm1.example.test", "cucm1.example.test"),
        ("cucm1.example.test.", "cucm1.example.test"),
        (" cucm1.example.test", "cucm1.example.test"),
        ("cucm1.example.test/", "cucm1.example.test"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.5:8443", "10.0.0.5"),
        ("https://anna:hunter2@10.0.0.5/", "10.0.0.5"),
    ],
)
def test_an_address_with_more_than_a_host_is_given_back_without_it(tmp_path: Path, spelling: str, host: str) -> None:
    file = inventory(tmp_path, SMALL.replace("address: expc1.example.test", f'address: "{spelling}"'))

    with pytest.raises(InventoryError, match="must be a single host name or IP address") as refused:
        load(file)
    assert f"trailing dot: {host}; the port has a key of its own" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("spelling", ["a b", "..", "-", "[", "https://", "cucm1..example.test:8443:1"])
def test_an_address_without_a_host_is_refused_alone(tmp_path: Path, spelling: str) -> None:
    file = inventory(tmp_path, SMALL.replace("address: expc1.example.test", f'address: "{spelling}"'))

    with pytest.raises(InventoryError, match=r"or trailing dot\.$"):
        load(file)


def test_discovery_is_automatic_or_the_inventorys_own_list(tmp_path: Path) -> None:
    whole, small = inventory(tmp_path, WHOLE, "whole.yml"), inventory(tmp_path, SMALL, "small.yml")

    assert [load(file)[0].discovery for file in (whole, small)] == ["inventory", "auto"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            "      discovery: inventroy\n",
            "`discovery` is `inventroy`, but must be `auto` or `inventory`. Did you mean `inventory`?",
        ),
        ("      discovery: inventory\n", "`discovery: inventory` needs `nodes`: only those are checked then"),
        ("      discovery: true\n", "must be text"),
    ],
)
def test_a_discovery_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, says: str) -> None:
    with pytest.raises(InventoryError) as refused:
        load(inventory(tmp_path, SMALL + "    unified_communications:\n" + lines))

    assert says in str(refused.value)
    assert "inventory.yml:10: " in str(refused.value)


def test_every_mistake_is_shown_at_once(tmp_path: Path) -> None:
    text = SMALL.replace("username: admin", "user_name: admin").replace("expc1.example.test", "https://expc1")
    file = inventory(tmp_path, f"{text}    policy: {{ciphers: kep, restart: now}}\n")

    with pytest.raises(InventoryError) as caught:
        load(file)

    lines = str(caught.value).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [f"{file}:{number}:" for number in (5, 8, 9, 9)]
    assert "Did you mean `username`?" in lines[0]
    assert "Did you mean `keep`?" in lines[2]


def test_only_so_many_mistakes_are_shown(tmp_path: Path) -> None:
    peers = "".join(f"        - {{address: 'a b', zzz{number}: 1}}\n" for number in range(30))
    file = inventory(tmp_path, SMALL.replace(f"        {ADDRESS}\n", peers))

    with pytest.raises(InventoryError, match=r"\nand 40 more mistakes\.$"):
        load(file)


def test_an_alias_bomb_is_read_as_small_as_it_is_written(tmp_path: Path) -> None:
    levels = "".join(f"  - &l{number} [{', '.join([f'*l{number - 1}'] * 9)}]\n" for number in range(1, 30))
    file = inventory(tmp_path, f"{SMALL}x:\n  - &l0 [a]\n{levels}")

    with pytest.raises(InventoryError, match="`x` is not a key of `inventory`"):
        load(file)


def test_the_fingerprints_of_other_tools_are_taken(tmp_path: Path) -> None:
    text = WHOLE.replace(f'"{FINGERPRINT}"', f'"SHA256 Fingerprint={":".join(["AB"] * 32)}"')
    text = text.replace(f'"{HOST_KEY}"', f'"256 {HOST_KEY} root@expc1 (ED25519)"')

    [cluster] = load(inventory(tmp_path, text))

    assert (cluster.peers[0].tls.fingerprint, cluster.peers[0].ssh.host_key) == (FINGERPRINT, HOST_KEY)
