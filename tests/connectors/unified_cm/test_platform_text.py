"""What the platform shell prints, in the layouts of its releases."""

from __future__ import annotations

import pytest

from remediate.connectors.unified_cm import platform_text
from remediate.connectors.unified_cm.platform_text import CertificateFile
from remediate.lab.platform_shell import Layout, PlatformShell
from remediate.model.certificate import Certificate
from tests.pki import Entity, issue

ROOT = issue("Edge Root", ca=True)
OTHER = issue("Other Root", ca=True)
NAMESAKE = issue("Edge Root", ca=True, key_name="another key")


def printed(entity: Entity, layout: Layout) -> str:
    """What the lab's shell prints of a certificate, as the releases do."""
    shell = PlatformShell(dict, stores=None, restarted=lambda: None, layout=layout)  # type: ignore[arg-type]  # not asked
    return "\n".join(shell._show(entity.certificate))


def test_files_of_a_list_among_banners() -> None:
    lines = [
        "",
        "tomcat/tomcat.pem: Certificate Signed by steven-DC-CA",
        "tomcat-trust/Edge_Root_0a1b.pem: Trust Certificate",
        "CallManager-trust/CAP-RTP-001.pem:",
        "tomcat-trust/no such; file.pem: x",
        "Executed command successfully",
    ]

    assert list(platform_text.parse_files(lines)) == [
        CertificateFile("tomcat", "tomcat.pem"),
        CertificateFile("tomcat-trust", "Edge_Root_0a1b.pem"),
        CertificateFile("CallManager-trust", "CAP-RTP-001.pem"),
    ]


@pytest.mark.parametrize("layout", ["fields-and-pem", "bouncy-castle"])
def test_a_pem_block_after_the_fields_is_the_certificate(layout: Layout) -> None:
    assert platform_text.parse_certificate(printed(ROOT, layout)) == ROOT.certificate


@pytest.mark.parametrize(
    "text",
    [
        printed(ROOT, "fields"),
        f"         SerialNumber: {ROOT.certificate.serial}\n            SubjectDN: {ROOT.certificate.subject}",
        f"  Serial Number: 0x{ROOT.certificate.serial:x}\n  Subject Name: L=Lab, {ROOT.certificate.subject}",
    ],
    ids=["till-14su1", "from-14su2", "with-prefix"],
)
def test_fields_alone_name_a_certificate_that_is_known(text: str) -> None:
    candidates = [ROOT.certificate, OTHER.certificate, NAMESAKE.certificate]

    assert platform_text.parse_certificate(text) is None
    assert platform_text.match_fields(text, candidates) == ROOT.certificate
    assert platform_text.match_fields(text, [OTHER.certificate, NAMESAKE.certificate]) is None


def test_a_namesake_with_another_serial_number_may_be_the_one() -> None:
    assert platform_text.may_name(printed(NAMESAKE, "fields"), [ROOT.certificate])
    assert not platform_text.may_name(printed(OTHER, "fields"), [ROOT.certificate])
    assert platform_text.may_name("nothing that is understood", [ROOT.certificate])


@pytest.mark.parametrize(
    "text",
    ["", "Serial Number: zz", "Serial Number: " + "9" * 200, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
)
def test_what_is_no_certificate_is_none(text: str) -> None:
    candidates: list[Certificate] = [ROOT.certificate]

    assert platform_text.parse_certificate(text) is None
    assert platform_text.match_fields(text, candidates) is None


def test_an_answer_ends_at_the_prompt_alone() -> None:
    assert platform_text.is_at_prompt("line\nadmin:")
    assert not platform_text.is_at_prompt("admin:show cert list own\n")
    assert not platform_text.is_at_prompt("  Subject Name: CN=admin:")


def test_questions_are_seen_and_a_pager_is_none() -> None:
    assert platform_text.find_question("Continue (yes/no)? ") == "Continue (yes/no)?"
    assert platform_text.find_question("Enter the password:") == "Enter the password:"
    assert platform_text.find_question("line\nadmin:") is None
    assert platform_text.is_at_pager("\nPress <enter> for 1 line, <space> for one page, or <q> to quit ")
