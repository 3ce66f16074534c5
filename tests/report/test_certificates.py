"""The certificates of a cluster as JSON, CSV and text."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from rich.console import Console

from remediate.language.messages import use_language
from remediate.model.certificate_overview import CertificateOverview
from remediate.planner.certificates import make_overview
from remediate.report.certificates import certificates_csv, certificates_document, list_findings, show_certificates
from tests.pki import Entity, issue
from tests.planner.build import endpoint, peer, snapshot

NODE = "cucm.test"
root = issue("Root", ca=True)
idle = issue("Idle root", ca=True)
leaf = issue(NODE, root, names=(NODE,))


def overview(*entities: Entity) -> CertificateOverview:
    nodes = [endpoint(NODE, rsa=[leaf])]
    return make_overview(snapshot([peer(1, [root, *entities]), peer(2, [root])], nodes, [root, leaf, *entities]))


def test_the_document_names_places_and_reliance() -> None:
    survey = overview()

    document = certificates_document(survey, survey.certificates)

    [entry] = [entry for entry in document["certificates"] if entry["common_name"] == "Root"]
    assert entry["lists"] == ["expc1.test", "expc2.test"]
    assert entry["relied_on_by"][0] == {"peer": "expc1.test", "address": NODE, "port": 8443}
    assert entry["days_left"] == 365
    assert (document["drift"], document["not_relied_on"], document["shared_common_names"]) == ([], [], [])


def test_a_table_has_one_line_a_certificate() -> None:
    survey = overview()

    rows = list(csv.DictReader(io.StringIO(certificates_csv((survey, entry) for entry in survey.certificates))))

    assert {row["common_name"] for row in rows} == {"Root", NODE}
    assert next(row["in_list_of"] for row in rows if row["common_name"] == "Root") == "expc1.test expc2.test"


def test_no_name_becomes_a_formula_of_a_spreadsheet() -> None:
    survey = overview(issue("=HYPERLINK(1)", ca=True))

    rows = list(csv.DictReader(io.StringIO(certificates_csv((survey, entry) for entry in survey.certificates))))

    assert "'=HYPERLINK(1)" in {row["common_name"] for row in rows}


def test_findings_warn_of_the_uses_that_were_not_looked_at() -> None:
    findings = list(list_findings(overview(idle)))

    assert any(text.startswith("The lists differ: Idle root") and "not on expc2.test" in text for text in findings)
    assert any(
        "No endpoint needs 1 certificate" in text and "do not delete a certificate for this alone" in text for text in findings
    )


def test_the_text_shows_days_places_and_fingerprint() -> None:
    survey = overview(idle)
    console = Console(file=io.StringIO(), width=200)

    show_certificates(console, survey, survey.certificates)

    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert "365 days" in text
    # In a pipe, a certificate is one line, below that of the cluster
    assert len(text.splitlines()) == 1 + len(survey.certificates) + len(list(list_findings(survey)))
    assert "in every list; needed by 1 endpoint" in text
    assert "presented by cucm.test:8443 (depth 0); needed by 1 endpoint; confirmed by no trusted source" in text


def test_ends_are_french_and_end_below_each_other() -> None:
    use_language("fr")
    survey = overview(issue("Old root", ca=True, lasts=timedelta(days=30)))
    stream = io.StringIO()

    show_certificates(Console(file=stream, width=200), survey, survey.certificates)

    ends = [line.partition("  ")[0] for line in stream.getvalue().splitlines() if "365 jours" in line or "a expiré" in line]
    assert set(ends) == {"365 jours", " a expiré"}
