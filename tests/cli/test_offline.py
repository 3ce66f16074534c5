"""What needs no cluster: planning a snapshot, showing a plan, explaining a verdict, the journal."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediate.executor.identity import Operator
from remediate.executor.journal.store import Journal
from remediate.executor.journal.switches import record_request
from remediate.model.certificate import Certificate
from remediate.model.identity import Address
from remediate.model.plan import Plan
from remediate.model.run import Backup
from tests.cli.conftest import Ended, Remediate
from tests.pki import NOW, YEAR, Entity, issue, signed_with_sha1

AT = NOW.isoformat()


@pytest.fixture
def plan(remediate: Remediate, snapshot: Path, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    assert remediate("plan", "--snapshot", snapshot, "-o", path).code == 0
    return path


def test_a_snapshot_is_planned_offline_and_the_same_each_time(remediate: Remediate, snapshot: Path, plan: Path) -> None:
    ended = remediate("plan", "--snapshot", snapshot, "--json")

    assert ended.code == 0
    assert ended.document["format"] == "remediate.plan/1"
    assert ended.document["id"] == json.loads(plan.read_text())["id"]
    assert plan.stat().st_mode & 0o777 == 0o600


def test_the_detailed_exit_code_is_10_where_something_stays_refused(remediate: Remediate, snapshot: Path) -> None:
    ended = remediate("plan", "--snapshot", snapshot, "--detailed-exitcode")

    assert ended.code == 10
    assert "name-mismatch" in ended.out


def test_policy_options_reach_the_plan(remediate: Remediate, snapshot: Path) -> None:
    never = remediate("plan", "--snapshot", snapshot, "--never-trust-self-signed", "--ciphers", "keep", "--json").document

    roles = [action.get("role") for action in never["actions"]]
    assert "self-signed" not in roles


def test_approvals_from_option_and_file_are_granted(remediate: Remediate, snapshot: Path, plan: Path, tmp_path: Path) -> None:
    required = [load["certificate"] for load in json.loads(plan.read_text())["actions"] if load.get("approval") == "required"]
    assert required
    listed = tmp_path / "approved.txt"
    printed = tmp_path / "printed.txt"
    listed.write_text(f"# seen on the console\n{required[0].upper()}  # cucm\n")
    digits = required[0].removeprefix("sha256:").upper()
    pairs = ":".join(digits[place : place + 2] for place in range(0, 64, 2))
    printed.write_text(f"sha256 Fingerprint={pairs}\n")  # as `openssl x509 -fingerprint -sha256` says it

    for option in (("--approve-file", listed), ("--approve-file", printed), ("--approve", required[0])):
        document = remediate("plan", "--snapshot", snapshot, *option, "--json").document
        granted = [action["certificate"] for action in document["actions"] if action.get("approval") == "granted"]
        assert granted == required[:1]


def test_a_bad_line_in_the_approvals_is_named(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    listed = tmp_path / "approved.txt"
    listed.write_text("\nsha256:1234\n")

    ended = remediate("plan", "--snapshot", snapshot, "--approve-file", listed)

    assert ended.code == 64
    assert f"{listed}:2: `sha256:1234`" in ended.err


def test_a_ca_that_the_operator_gives_is_vouched_for(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    folder.mkdir()
    (folder / "ca.pem").write_text(issue("Another CA", ca=True).certificate.pem)

    assert remediate("plan", "--snapshot", snapshot, "--ca", folder, "-q").code == 0
    for text in ("nothing", ""):
        (folder / "ca.pem").write_text(text)
        ended = remediate("plan", "--snapshot", snapshot, "--ca", folder)
        assert (ended.code, "There is no certificate in it" in ended.err) == (1, True)


def test_certificates_may_be_der_too(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    # Given a CA as a Windows server hands it out, and text before a PEM block that begins as DER does
    root = issue("Root", ca=True)
    leaf = issue("cucm.test", root, names=("cucm.test",))
    (tmp_path / "root.cer").write_bytes(root.certificate.der)
    (tmp_path / "chain.pem").write_text("0 s:CN=cucm.test\n" + leaf.certificate.pem)

    # Then both are read
    options = ["--address", "cucm.test", "--at", AT]
    ended = remediate("explain", "--chain", tmp_path / "chain.pem", "--store", tmp_path / "root.cer", *options)
    assert (ended.code, "✓ cucm.test verifies" in ended.out) == (0, True)
    planned = remediate("plan", "--snapshot", snapshot, "--ca", tmp_path / "root.cer", "--json", "-q")
    assert planned.code == 0


def test_an_empty_address_is_no_address(remediate: Remediate, chain: tuple[Path, Path]) -> None:
    ended = remediate("explain", "--chain", chain[0], "--store", chain[1], "--address", " ")
    assert (ended.code, ended.err.startswith("remediate: --address: is empty.")) == (64, True)


def test_show_gives_the_same_plan_to_a_program(remediate: Remediate, plan: Path) -> None:
    assert remediate("show", plan, "--json").out == plan.read_text()


def test_show_has_whole_lines_in_a_pipe(remediate: Remediate, plan: Path) -> None:
    ended = remediate("show", plan, "--all", "--explain")

    assert ended.code == 0
    assert not any(line != line.rstrip() for line in ended.out.splitlines())
    assert any(line.startswith("imp.steven.lab:8443 ") and "self-signed-untrusted" in line for line in ended.out.splitlines())


def test_show_writes_page_and_ticket(remediate: Remediate, plan: Path, tmp_path: Path) -> None:
    assert remediate("show", plan, "--html", tmp_path / "plan.html").code == 0
    assert remediate("show", plan, "--markdown", "-").out.startswith("# Change:")
    assert "<!doctype html>" in (tmp_path / "plan.html").read_text()


def test_a_plan_that_was_edited_is_refused(remediate: Remediate, plan: Path) -> None:
    plan.write_text(plan.read_text().replace('"cluster": "edge-lab"', '"cluster": "edge-prod"'))

    assert remediate("show", plan).code == 1


@pytest.fixture
def chain(tmp_path: Path) -> tuple[Path, Path]:
    root = issue("Root", ca=True)
    middle = issue("Middle", root, ca=True)
    leaf = issue("cucm.test", middle, names=("cucm.test",))
    (tmp_path / "chain.pem").write_text(leaf.certificate.pem + middle.certificate.pem + root.certificate.pem)
    (tmp_path / "store.pem").write_text(root.certificate.pem)
    (tmp_path / "empty.pem").write_text(issue("Unrelated", ca=True).certificate.pem)
    return tmp_path / "chain.pem", tmp_path / "store.pem"


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

    assert remediate(*base, "--chain", chain[0], "--at", "noon").code == 64
    chain[0].write_text("")
    assert remediate(*base, "--chain", chain[0]).code == 1


def test_an_absent_journal_is_an_empty_list(remediate: Remediate) -> None:
    assert remediate("runs", "--json").document == []
    assert "No run yet" in remediate("runs").out
    assert remediate("runs", "show", "last").code == 1


def test_offline_verbs_remind_of_the_workaround(
    remediate: Remediate, snapshot: Path, plan: Path, chain: tuple[Path, Path]
) -> None:
    # Given a run in the journal, and a switch that was turned off after it
    state, operator = Path(os.environ["REMEDIATE_STATE_DIR"]), Operator("anna", "jump", 1)
    with Journal(state, writable=True) as journal:
        journal.begin_run(Plan.from_json(plan.read_text()), (), (), operator=operator, ticket=None)
        record_request(journal, "edge-lab", Address("expc2"), operator, datetime.now(UTC), verification=False)

    for arguments in (
        ["plan", "--snapshot", snapshot],
        ["show", plan],
        ["explain", "--chain", chain[0], "--store", chain[1], "--address", "cucm.test", "--at", AT],
        ["diagnose", chain[0]],
        ["runs"],
        ["runs", "show", "last"],
        ["runs", "export", "last"],
    ):
        # Then each says so, in one line beside the result
        stderr = remediate(*arguments, "-q").err
        assert stderr.startswith("edge-lab: the workaround may be on, as it was last turned from here"), arguments
        assert "turned off by anna on jump" in stderr
        assert stderr.endswith("(expc2).\n")


def test_the_last_run_is_that_of_the_chosen_clusters(
    remediate: Remediate, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run on one cluster, a later one on another, and an inventory of both, whose peers nobody can reach
    whole = Plan.from_json(plan.read_text())
    with Journal(Path(os.environ["REMEDIATE_STATE_DIR"]), writable=True) as journal:
        backup = Backup(Address("127.0.0.1"), (), {})
        first, second = (
            journal.begin_run(replace(whole, cluster=name), (backup,), (), operator=Operator("anna", "jump", 1), ticket=None)
            for name in ("paris", "rome")
        )
    inventory = tmp_path / "inventory.yml"
    peer = '{address: 127.0.0.1, rest_port: 1, ssh_port: 1, tls: {fingerprint: "sha256:' + "0" * 64 + '"}}'
    clusters = [
        f"  - name: {name}\n    expressway: {{username: admin, password: {{env: NONE}}, peers: [{peer}]}}\n"
        for name in ("paris", "rome")
    ]
    inventory.write_text("version: 1\nclusters:\n" + "".join(clusters))
    monkeypatch.setenv("NONE", "secret")

    # Then the last one is that of the cluster that is chosen
    assert remediate("rollback", "last", "--yes", "-i", inventory, "-c", "paris", "--json", "-q").document["run"] == first
    assert remediate("rollback", "last", "--yes", "-i", inventory, "-c", "rome", "--json", "-q").document["run"] == second
    both = remediate("rollback", "last", "--yes", "-i", inventory, "-q")
    assert (both.code, "has runs of paris and rome" in both.err) == (64, True)
    inventory.write_text(inventory.read_text().replace("paris", "milan"))
    none = remediate("rollback", "last", "--yes", "-i", inventory, "-c", "milan", "-q")
    assert (none.code, "There is no run on the chosen clusters yet" in none.err) == (1, True)


def test_what_needs_no_state_directory_runs_without_a_home(
    remediate: Remediate, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REMEDIATE_STATE_DIR")

    def homeless(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    # Only the look-up of a user without a home cannot be had for real here: root always has one.
    monkeypatch.setattr("platformdirs.user_state_path", homeless)

    assert remediate("show", plan, "-q").code == 0


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


def test_a_snapshot_and_an_inventory_cannot_both_be_meant(
    remediate: Remediate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot_path, missing_inventory = tmp_path / "snapshot.json", tmp_path / "none.yml"
    assert remediate("plan", "--snapshot", snapshot_path, "-i", missing_inventory).code == 64
    # What stands on the command line wins over the environment: the inventory is looked for, and is not there.
    monkeypatch.setenv("REMEDIATE_SNAPSHOT", str(snapshot_path))
    assert "none.yml" in remediate("plan", "-i", missing_inventory).err
