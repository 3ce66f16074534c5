"""`diagnose` as an engineer meets it: the story of X14.2 in a log and a capture, what is printed, and how it ends."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from pathlib import Path

import pytest

from remediate.language.messages import translate
from tests.cli.conftest import Remediate
from tests.connectors.evidence.captures import NODE, Parties, capture, record_handshake, segments
from tests.connectors.evidence.logs import EXPRESSWAY, FAILED, NAME, SELF_SIGNED, encode_target, log_transaction
from tests.pki import issue

CA = issue("steven-DC-CA", ca=True)
RSA = issue("cucmms.steven.lab", CA, names=("cucm.steven.lab",), family="rsa")
EC = issue("cucm-EC.steven.lab", names=("cucm.steven.lab",))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A diagnostic archive: 8443 presents RSA and is accepted, 6972 presents a self-signed ECDSA certificate and is refused."""
    accepted = segments(record_handshake([[RSA]], trusted=[CA]), Parties(port=8443))
    refused = segments(record_handshake([[RSA], [EC]], trusted=[CA]), Parties(port=6972, client_port=40_001))
    lines = [
        *log_transaction(11, encode_target("steven.lab/https/cucm.steven.lab/6972")),
        EXPRESSWAY + FAILED,
        EXPRESSWAY + NAME,
    ]
    path = tmp_path / "diagnostic"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("../log.txt", "\n".join(lines).encode()), ("eth0.pcap", capture([*accepted, *refused]))):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (tmp_path / "trusted.pem").write_text(CA.certificate.pem)
    return path


def test_the_output_names_cause_certificate_and_advice(remediate: Remediate, story: Path) -> None:
    ended = remediate("diagnose", story)

    output = " ".join(ended.out.split())
    assert ended.code == 0
    assert "✗ cucm.steven.lab:6972 refused: self-signed-untrusted" in output
    assert "self signed certificate (code 18, at depth 0)" in output
    assert "vcsc: 1 request to port 6972 answered with 502" in output
    assert "the client sent unknown_ca (48)" in output
    assert EC.certificate.fingerprint in output
    assert "→ Add 'CN=cucm-EC.steven.lab,O=Lab' (sha256:" in output
    assert f"✗ {NODE} (port unknown) refused: name-mismatch" in output
    assert "set System > Server on Unified CM to cucm.steven.lab" in output
    assert "✓ cucm.steven.lab:8443 accepted" in output
    assert "remediate plan -i INVENTORY -o plan.json" in output


def test_the_document_has_a_finding_for_each_endpoint(remediate: Remediate, story: Path) -> None:
    ended = remediate("diagnose", story, "--json", "--store", story.with_name("trusted.pem"))

    document = ended.document
    by_port = {finding["port"]: finding for finding in document["findings"]}
    assert (document["format"], document["complete"]) == ("remediate.diagnosis/1", True)
    assert [finding["standing"] for finding in document["findings"]] == ["refused", "refused", "accepted"]
    assert (by_port[6972]["cause"], by_port[6972]["code"], by_port[6972]["depth"]) == ("self-signed-untrusted", 18, 0)
    assert (by_port[6972]["ip"], by_port[6972]["logged"][0]["peer"]) == (NODE, "vcsc")
    assert by_port[6972]["logged"][0]["first"] == "2022-07-26T15:20:45Z"
    assert by_port[6972]["captured"][0]["chains"][0]["certificates"] == [EC.certificate.fingerprint]
    assert by_port[6972]["captured"][0]["prefers"] == ["ecdsa"]
    assert by_port[8443]["captured"][0]["chains"][0]["ok"] is True
    assert document["certificates"][EC.certificate.fingerprint] == EC.certificate.pem


def test_the_pem_of_the_document_is_what_explain_reads(remediate: Remediate, story: Path, tmp_path: Path) -> None:
    pem = remediate("diagnose", story, "--json").document["certificates"][EC.certificate.fingerprint]
    (tmp_path / "presented.pem").write_text(pem)

    ended = remediate(
        "explain", "--chain", tmp_path / "presented.pem", "--store", tmp_path / "trusted.pem", "--address", "cucm.steven.lab"
    )

    assert "refused: self-signed-untrusted" in ended.out


@pytest.mark.parametrize("options", [[], ["-v"]])
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_name_is_split_on_a_screen(
    remediate: Remediate, story: Path, options: list[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pipe = remediate("diagnose", story, *options).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))

    on_screen = re.sub(r"\x1b\[[0-9;]*m", "", remediate("diagnose", story, *options).out)

    assert {word for word in in_pipe.split() if ":" in word} <= set(on_screen.split())
    long = [line for line in on_screen.splitlines() if len(line) > columns and not line.startswith("  remediate ")]
    # A word that is longer than the screen stands alone, after its mark.
    assert [line for line in long if len(line.split()) > 2] == []


def test_in_a_pipe_no_line_ends_in_blanks(remediate: Remediate, story: Path) -> None:
    lines = remediate("diagnose", story, "-v").out.splitlines()

    assert lines == [line.rstrip() for line in lines]


def test_nothing_that_clients_sent_is_printed(remediate: Remediate, story: Path) -> None:
    for options in ([], ["-v"], ["--json"]):
        ended = remediate("diagnose", story, *options)
        assert "CANARY" not in ended.out + ended.err


def test_findings_are_on_stdout_and_progress_is_not(remediate: Remediate, story: Path) -> None:
    loud, quiet = remediate("diagnose", story), remediate("diagnose", story, "-q")

    assert f"reading {story}" in " ".join(loud.err.split())
    assert (quiet.err, quiet.out) == ("", loud.out)


def test_an_unreadable_file_is_exit_code_4(remediate: Remediate, story: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"a line\n" * 1000)[:-10])
    (tmp_path / "image").write_bytes(b"\x00\x01")

    folder = remediate("diagnose", tmp_path)
    image = remediate("diagnose", tmp_path / "image")

    assert (folder.code, image.code) == (4, 4)
    assert "refused: self-signed-untrusted" in folder.out
    assert "cut.gz:itistruncated" in "".join(folder.out.split())
    assert "not everything could be read" in " ".join(image.out.split())
    assert remediate("diagnose", tmp_path, "--json").document["complete"] is False


@pytest.mark.parametrize(
    ("text", "code", "outcome", "words"),
    [
        (
            "all is well",
            0,
            "nothing-to-look-at",
            "There is nothing to check: no line of a traffic server and no TLS record.",
        ),
        (f"{EXPRESSWAY}NOTE: all is well", 0, "no-failures", "No refused certificate and no failed handshake"),
        ("certificate verify failed", 4, "could-not-be-read", "not everything could be read"),
        (f"{EXPRESSWAY}{FAILED[:60]}", 4, "could-not-be-read", "fragments of a refusal at 1 place"),
        (f"{EXPRESSWAY}{FAILED}", 0, "failures", "does not say why"),
    ],
)
def test_no_failures_and_no_evidence_are_different_outcomes(
    remediate: Remediate, tmp_path: Path, text: str, code: int, outcome: str, words: str
) -> None:
    (tmp_path / "log").write_text(f"{text}\n")

    ended, document = remediate("diagnose", tmp_path / "log"), remediate("diagnose", tmp_path / "log", "--json").document

    assert ended.code == code
    assert "Read 1 text file of 1 line and 0 captures of 0 packets." in ended.out
    assert words in " ".join(ended.out.split())
    assert (document["outcome"], document["complete"]) == (outcome, code == 0)


def test_the_document_has_the_coverage(remediate: Remediate, tmp_path: Path) -> None:
    wrapped = f"{EXPRESSWAY}{NAME}".replace(" Action", "\nAction")
    other_line = EXPRESSWAY.replace("traffic_server", "XCP_CM2") + "SSL routines:x:certificate verify failed"
    (tmp_path / "log").write_text(f"{wrapped}\n{other_line}\n{other_line}\n")

    ended, document = remediate("diagnose", tmp_path / "log"), remediate("diagnose", tmp_path / "log", "--json").document

    assert document["looked_at"]["traffic_server_lines"] == document["looked_at"]["joined_messages"] == 1
    assert document["other_failures"] == [
        {"peer": "vcsc", "process": "XCP_CM2", "lines": 2, "first": "2022-07-26T15:20:45Z", "last": "2022-07-26T15:20:45Z"}
    ]
    assert "In it: 1 line of a traffic server, 1 message joined from broken lines." in " ".join(ended.out.split())
    assert f"vcsc: 2 lines of XCP_CM2, {translate('2022-07-26T15:20:45Z')}" in ended.out


def test_bad_arguments_have_their_exit_codes(remediate: Remediate, story: Path, tmp_path: Path) -> None:
    missing = remediate("diagnose", story, tmp_path / "none")

    assert (missing.code, missing.out, "there is no such file or folder" in missing.err) == (1, "", True)
    assert remediate("diagnose").code == 64
    assert remediate("diagnose", story, "--store", story).code == 1


def test_nothing_is_written(remediate: Remediate, story: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in tmp_path.rglob("*"))

    remediate("diagnose", tmp_path, "--json")

    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_the_same_advice_is_printed_once(remediate: Remediate, tmp_path: Path) -> None:
    lines = [EXPRESSWAY + SELF_SIGNED.replace("cucm.steven", f"cucm{number}.steven") for number in range(3)]
    (tmp_path / "log").write_text("\n".join(lines))

    output = " ".join(remediate("diagnose", tmp_path / "log").out.split())

    assert output.count("Depth 0 is the node's own certificate") == 1
    assert output.count("The same as for cucm0.steven.lab (port unknown) above.") == 2
    assert "OpenSSL by the peers' own lines: vcsc 1.1.1." in output


def test_many_nodes_with_one_cause_are_one_finding(remediate: Remediate, tmp_path: Path) -> None:
    line = SELF_SIGNED.replace("self signed certificate", "unable to get local issuer certificate")
    (tmp_path / "log").write_text("\n".join(EXPRESSWAY + line.replace("cucm.", f"cucm{n}.") for n in range(20)))

    output = remediate("diagnose", tmp_path / "log").out

    assert "✗ 20 nodes  refused: issuer-unknown" in output
    assert "and 8 more: `--json` has them all" in output
    assert "cucm19.steven.lab" in remediate("diagnose", tmp_path / "log", "-v").out
