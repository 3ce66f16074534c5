"""Certificates and addresses as people give them to commands: read, put in order, or refused with the right form."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from remediate.cli.files import open_private, write_atomically
from remediate.lab import Lab
from remediate.model.errors import RemediateError
from tests import der
from tests.cli.conftest import Ended, Remediate
from tests.connectors.evidence.captures import Parties, capture, record_handshake, segments
from tests.fuzz.mutations import armoured
from tests.fuzz.samples import without_parameters
from tests.pki import NOW, Entity, issue

AT = NOW.isoformat()
root = issue("Root", ca=True)
middle = issue("Issuing", root, ca=True)
leaf = issue("cucm.test", middle, names=("cucm.test",))
MESSAGE = der.signed_data(*(entity.certificate.der for entity in (root, middle, leaf)))


def explained(remediate: Remediate, folder: Path, chain: bytes, *more: str, address: str = "cucm.test") -> Ended:
    (folder / "chain.any").write_bytes(chain)
    (folder / "root.pem").write_text(root.certificate.pem)
    options = ("--address", address, "--at", AT)
    return remediate("explain", "--chain", folder / "chain.any", "--store", folder / "root.pem", *options, *more)


def pem(*entities: Entity) -> bytes:
    return "".join(entity.certificate.pem for entity in entities).encode()


FORMS = {
    "PKCS#7 of a Windows CA": MESSAGE,
    "PKCS#7 as PEM": armoured(MESSAGE, "PKCS7").encode(),
    "base64 without armour": base64.encodebytes(MESSAGE),
    "printed with the root first": b"subject=O = Lab\n" + pem(root) + b"\n" + pem(middle) + b"\n" + pem(leaf),
    "the intermediate first": pem(middle, leaf, root),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
def test_a_chain_is_put_in_order_and_that_is_reported(remediate: Remediate, tmp_path: Path, content: bytes) -> None:
    ended = explained(remediate, tmp_path, content)
    document = explained(remediate, tmp_path, content, "--json").document

    text = " ".join(ended.out.split())
    assert "✓ cucm.test verifies" in text
    assert f"reordered: the server's own certificate is 'CN=cucm.test,O=Lab' ({leaf.certificate.fingerprint[:19]}…)" in text
    assert document["reordered"] is True
    assert len(document["remarks"]) == 1
    assert [link["certificate"] for link in document["chain"]] == [
        entity.certificate.fingerprint for entity in (leaf, middle, root)
    ]


def test_a_chain_as_sent_is_judged_as_sent(remediate: Remediate, tmp_path: Path) -> None:
    # Given a chain leaf first, and behind it more than is needed
    document = explained(remediate, tmp_path, pem(leaf, root, middle), "--json").document

    assert (document["ok"], document["reordered"], document["remarks"]) == (True, False, [])


def test_two_servers_in_one_file_are_remarked_on(remediate: Remediate, tmp_path: Path) -> None:
    other_leaf = issue("other.test", middle, names=("other.test",))

    document = explained(remediate, tmp_path, pem(other_leaf, leaf, middle), "--json").document
    reordered_document = explained(remediate, tmp_path, pem(middle, other_leaf, leaf), "--json").document

    # Then the first is judged where it may be meant, and that it may not be is said
    assert (document["cause"], document["reordered"]) == ("name-mismatch", False)
    assert "Several certificates in --chain could be the server's own" in document["remarks"][0]
    # and where a CA comes first, the one with the address is taken
    assert (reordered_document["ok"], reordered_document["reordered"]) == (True, True)


def test_a_ca_judged_as_a_server_is_reported(remediate: Remediate, tmp_path: Path) -> None:
    document = explained(remediate, tmp_path, pem(root), "--json").document

    assert "is a CA certificate, but is checked as the server's own" in document["remarks"][0]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("cucm.test:8443", "cucm.test"),
        ("https://cucm.test/", "cucm.test"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("cucm.test.", "cucm.test"),
        ("cucm.test ", "cucm.test"),
    ],
)
def test_an_address_is_a_host_alone(remediate: Remediate, tmp_path: Path, address: str, host: str) -> None:
    ended = explained(remediate, tmp_path, pem(leaf, middle), address=address)

    assert ended.code == 64
    assert f"Give the host alone: --address {host}\n" in ended.err


@pytest.mark.parametrize("address", ["", " ", "a b", "https://"])
def test_an_address_that_holds_no_host_is_wrong_usage(remediate: Remediate, tmp_path: Path, address: str) -> None:
    ended = explained(remediate, tmp_path, pem(leaf, middle), address=address)

    assert (ended.code, "Give the name or IP address that clients use." in ended.err) == (64, True)


def test_an_empty_store_is_reported_as_an_empty_list(remediate: Remediate, tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(pem(leaf, middle, root))
    (tmp_path / "empty.pem").touch()

    options = ("--store", tmp_path / "empty.pem", "--address", "cucm.test", "--at", AT)
    ended = remediate("explain", "--chain", tmp_path / "chain.pem", *options)
    none = remediate("explain", "--chain", tmp_path / "empty.pem", *options)

    assert (ended.code, "counts as an empty trusted CA list" in ended.err) == (0, True)
    assert (none.code, "empty.pem: There is no certificate in it: it is an empty file." in none.err) == (1, True)


def test_a_private_key_is_refused_wherever_certificates_are_taken(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    folder.mkdir()
    secret = leaf.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(secret)
    (folder / "root.pem").write_bytes(pem(root))

    for arguments in (
        ("plan", "--snapshot", snapshot, "--ca", folder),
        ("plan", "--snapshot", snapshot, "--ca", folder / "server.key"),
        ("explain", "--chain", folder / "server.key", "--store", folder / "root.pem", "--address", "a"),
        ("explain", "--chain", folder / "root.pem", "--store", folder / "server.key", "--address", "a"),
        ("diagnose", folder / "root.pem", "--store", folder / "server.key"),
    ):
        ended = remediate(*arguments)
        assert ended.code == 1, arguments
        assert "is a private key, not a certificate (line 1)." in ended.err
        assert secret.decode().splitlines()[1] not in ended.err


def test_a_folder_of_authorities_names_what_it_does_not_use(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    # Given what Windows hands out, a web page that was saved in a certificate's place, and what a desktop leaves behind
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "certnew.p7b").write_bytes(MESSAGE)
    (folder / "root.cer").write_text("<html>Log in</html>")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "old").mkdir()

    ended = remediate("plan", "--snapshot", snapshot, "--ca", folder, "--json")

    assert ended.code == 0
    assert f"Not used: {folder}/root.cer: There is no certificate in it: it is a web page (HTML)." in ended.err
    assert "DS_Store" not in ended.err
    (folder / "certnew.p7b").write_bytes(MESSAGE[:-5])
    assert remediate("plan", "--snapshot", snapshot, "--ca", folder).code == 1


def test_the_inventory_takes_what_the_option_takes(remediate: Remediate, lab: Lab) -> None:
    # Given the lab's own authority as PKCS#7, in a folder beside a file that is something else
    folder = lab.inventory.parent / "windows"
    folder.mkdir()
    authority = (lab.inventory.parent / "pki" / "corporate.pem").read_text()
    der_of_it = base64.b64decode("".join(authority.splitlines()[1:-1]))
    (folder / "certnew.p7b").write_bytes(der.signed_data(der_of_it))
    (folder / "readme.txt").write_text("from the CA's web page")
    inventory = lab.inventory.with_name("windows.yml")
    text = lab.inventory.read_text()
    assert "ca: [pki/corporate.pem]" in text
    inventory.write_text(text.replace("ca: [pki/corporate.pem]", "ca: [windows]"))

    ended = remediate("plan", "-i", inventory, "--json")
    before = remediate("plan", "-i", lab.inventory, "--json")

    assert ended.document["id"] == before.document["id"]
    assert "readme.txt: There is no certificate in it: it is neither PEM nor DER nor PKCS#7." in ended.err


def test_a_key_without_parameters_ends_no_command(tmp_path: Path) -> None:
    # Given a certificate with a DSA key that leaves its parameters to its issuer; in a process of its own, which it may end
    bare = next(parameter for parameter in without_parameters() if parameter.key_family == "dsa" and parameter.key_bits is None)
    (tmp_path / "bare.pem").write_text(bare.pem)
    command = [sys.executable, "-m", "remediate", "explain", "--address", "a"]

    process = subprocess.run(
        [*command, "--chain", tmp_path / "bare.pem", "--store", tmp_path / "bare.pem"],
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert process.returncode == 0
    assert b"dsa, valid" in process.stdout


def test_a_store_for_diagnose_may_be_pkcs7(remediate: Remediate, tmp_path: Path) -> None:
    own = issue("cucm.test", root, names=("cucm.test",), family="rsa")
    (tmp_path / "eth0.pcap").write_bytes(capture(segments(record_handshake([[own]], trusted=[root]), Parties(port=8443))))
    (tmp_path / "store.p7b").write_bytes(der.signed_data(root.certificate.der))

    ended = remediate("diagnose", tmp_path / "eth0.pcap", "--store", tmp_path / "store.p7b")

    assert ended.code == 0
    assert "Trust was not checked" not in ended.out


def test_a_byte_order_mark_is_no_part_of_a_text(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    marked, fingerprints = tmp_path / "marked.json", tmp_path / "approved.txt"
    marked.write_bytes(b"\xef\xbb\xbf" + snapshot.read_bytes())
    fingerprints.write_bytes(b"\xef\xbb\xbfsha256:" + b"0" * 64)

    plain = remediate("plan", "--snapshot", snapshot, "--json")
    ended = remediate("plan", "--snapshot", marked, "--approve-file", fingerprints, "--json")

    assert (ended.code, ended.out) == (plain.code, plain.out)


def test_files_are_whole_private_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    write_atomically(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    for write in (lambda path: write_atomically(path, ""), open_private):
        with pytest.raises(RemediateError, match=r"cannot be written: No such file or directory\."):
            write(tmp_path / "gone" / "file")
