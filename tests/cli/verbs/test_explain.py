"""`explain`: the verdict on the chain of a file, drawn, with what would fix it, and where OpenSSL 3 differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from remediate.model.certificate import Certificate
from tests.cli.conftest import AT, Ended, Remediate
from tests.pki import NOW, YEAR, Entity, issue, signed_with_sha1


def test_an_empty_address_is_no_address(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    ended = remediate("explain", "--chain", chain[0], "--store", chain[1], "--address", " ")
    assert (ended.code, ended.err.startswith("remediate: --address: is empty.")) == (64, True)


def test_explain_draws_a_good_chain(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    ended = remediate("explain", "--chain", chain[0], "--store", chain[1], "--address", "cucm.test", "--at", AT)

    assert ended.code == 0
    assert "✓ cucm.test verifies" in ended.out
    assert ended.out.index("CN=cucm.test") < ended.out.index("CN=Middle") < ended.out.index("CN=Root")
    assert "from this peer's list" in ended.out


def test_explain_says_what_would_fix_a_refused_chain(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    store = chain[1].with_name("empty.pem")

    ended = remediate("explain", "--chain", chain[0], "--store", store, "--address", "cucm.test", "--at", AT)
    document = remediate(
        "explain", "--chain", chain[0], "--store", store, "--address", "cucm.test", "--at", AT, "--json"
    ).document

    assert "✗ cucm.test is refused: issuer-untrusted" in ended.out
    assert "→ Add 'CN=Root,O=Lab' (sha256:" in ended.out
    assert (document["ok"], document["cause"], document["code"], document["depth"]) == (False, "issuer-untrusted", 19, 2)
    assert [link["origin"] for link in document["chain"]] == ["presented", "presented", "presented"]
    assert [link["breaks"] for link in document["chain"]] == [False, False, True]
    assert len(document["mends"]) == 1


def test_explain_names_the_names_and_the_dates(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    later = (NOW + timedelta(days=2000)).isoformat()

    by_address = remediate("explain", "--chain", chain[0], "--store", chain[1], "--address", "10.0.0.5", "--at", AT)
    late = remediate("explain", "--chain", chain[0], "--store", chain[1], "--address", "cucm.test", "--at", later)

    assert "the certificate is for cucm.test" in by_address.out
    assert "an IP SAN" in by_address.out
    assert "Replace the CA certificate" in late.out


def test_explain_refuses_what_is_no_time_and_no_certificate(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    base = ["explain", "--store", chain[1], "--address", "x"]

    ended = remediate(*base, "--chain", chain[0], "--at", "noon")
    assert ended.code == 64
    # An example to type is no moment to spell in local time.
    assert "such as `2026-11-23T10:00:00Z`" in ended.err
    chain[0].write_text("")
    assert remediate(*base, "--chain", chain[0]).code == 1


def explained(remediate: Remediate, folder: Path, chain: list[Entity], store: list[Entity], *more: str) -> Ended:
    (folder / "c.pem").write_text("".join(certificate.certificate.pem for certificate in chain))
    (folder / "s.pem").write_text("".join(entity.certificate.pem for entity in store))
    address = ("--address", "cucm.test", "--at", AT)
    return remediate("explain", "--chain", folder / "c.pem", "--store", folder / "s.pem", *address, *more)


def test_explain_names_the_certificate_to_remove(remediate: Remediate, tmp_path: Path) -> None:
    # Given an expired copy of the intermediate in the list, which wins over the good one that is presented
    root = issue("Root", ca=True)
    middle = issue("Middle", root, ca=True)
    stale = issue("Middle", root, ca=True, starts=-3 * YEAR, lasts=YEAR)
    leaf = issue("cucm.test", middle, names=("cucm.test",))

    ended = explained(remediate, tmp_path, [leaf, middle, root], [root, stale])
    links = explained(remediate, tmp_path, [leaf, middle, root], [root, stale], "--json").document["chain"]

    assert "refused: shadowed" in ended.out
    assert [(link["origin"], link["presented"], link["breaks"]) for link in links] == [
        ("presented", True, False),
        ("trusted", False, True),
        ("trusted", True, False),
    ]
    assert links[1]["certificate"] == stale.certificate.fingerprint
    assert "CN=Root,O=Lab  [2] from this peer's list, and presented" in ended.out
    assert "→ Remove 'CN=Middle,O=Lab' (sha256:" in ended.out
    assert "→ add" not in ended.out
    assert ended.out.splitlines() == [line.rstrip() for line in ended.out.splitlines()]


def test_explain_knows_that_a_list_holds_one_certificate_of_a_name(remediate: Remediate, tmp_path: Path) -> None:
    own, before = issue("cucm.test", names=("cucm.test",)), issue("cucm.test", names=("cucm.test",), key_name="of last year")

    ended = explained(remediate, tmp_path, [own], [before])

    assert "instead of 'CN=cucm.test,O=Lab' (sha256:" in " ".join(ended.out.split())


def test_explain_says_where_openssl_3_differs(remediate: Remediate, tmp_path: Path) -> None:
    # Given a chain signed with SHA-1, which OpenSSL 3.x holds to be too weak at the security level that 1.1.1 has by default
    root = issue("Root", ca=True, family="rsa")
    weak = signed_with_sha1(issue("cucm.test", root, names=("cucm.test",)), root)

    ended = explained(remediate, tmp_path, [weak], [root])
    document = explained(remediate, tmp_path, [weak], [root], "--json").document

    assert "✓ cucm.test verifies" in ended.out
    assert "OpenSSL 1.1.1 only; an OpenSSL 3.x says:" in " ".join(ended.out.split())
    assert (document["ok"], document["openssl_3"]["ok"]) == (True, False)
    assert (document["openssl_3"]["code"], document["openssl_3"]["depth"]) == (68, 0)
    good = explained(remediate, tmp_path, [root], [root], "--json").document["openssl_3"]
    assert good == {"ok": True, "error": None, "code": 0, "depth": None}


def test_explain_says_where_openssl_3_refuses_under_another_number(remediate: Remediate, tmp_path: Path) -> None:
    # Given a chain over a certificate that is no CA: 24 in 1.1.1, 79 in 3.x
    root = issue("Root", ca=True)
    no_ca = issue("Not a CA", root)
    leaf = issue("cucm.test", no_ca, names=("cucm.test",))

    ended = explained(remediate, tmp_path, [leaf, no_ca], [root])
    document = explained(remediate, tmp_path, [leaf, no_ca], [root], "--json").document

    assert "An OpenSSL 3.x refuses this chain too, but says: invalid CA certificate (code 79, at depth 1)." in " ".join(
        ended.out.split()
    )
    assert document["code"] == 24
    assert document["openssl_3"] == {"ok": False, "error": "invalid CA certificate", "code": 79, "depth": 1}


def test_explain_names_the_entry_of_the_list_that_cannot_be_read(remediate: Remediate, tmp_path: Path) -> None:
    # Given a good chain, and a list with an entry behind the root that no OpenSSL can read
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",))
    broken = replace(root, certificate=Certificate.from_der(b"\x30\x03\x02\x01\x01"))

    ended = explained(remediate, tmp_path, [leaf], [root, broken])
    document = explained(remediate, tmp_path, [leaf], [root, broken], "--json").document

    sentence = "the trusted CA list holds a certificate that cannot be read: number 2"
    assert sentence in " ".join(ended.out.split())
    assert "OpenSSL 3.x" not in ended.out
    assert (document["error"], document["openssl_3"]["error"], document["openssl_3"]["ok"]) == (sentence, sentence, False)
