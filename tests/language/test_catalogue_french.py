"""The French catalogue: whole, with equal placeholders, and of no effect on what programs read."""

from __future__ import annotations

from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from remediate.language.messages import DOMAIN, LOCALE_FOLDER, read_translations, translate, use_language
from scripts.messages import extract_messages, list_counted_nouns

CATALOGUE = LOCALE_FOLDER / "fr/LC_MESSAGES" / f"{DOMAIN}.po"


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file)


def test_every_message_of_the_sources_is_in_french(catalogue: Catalog) -> None:
    translated = {str(message.id) for message in catalogue if message.id and message.string}
    assert sorted(set(extract_messages()) - translated) == []


def test_no_message_is_left_over(catalogue: Catalog) -> None:
    assert sorted({str(message.id) for message in catalogue if message.id} - set(extract_messages())) == []


def test_placeholders_are_equal_in_both_languages(catalogue: Catalog) -> None:
    def placeholders(text: str) -> list[str]:
        return sorted(name for _, name, _, _ in Formatter().parse(text) if name)

    different = [
        message.id for message in catalogue if message.id and placeholders(str(message.id)) != placeholders(str(message.string))
    ]
    assert different == []


def test_each_noun_counts_zero_in_the_singular() -> None:
    use_language("fr")
    nouns = list_counted_nouns()
    assert {translate(f"0 {plural}")[2:] for _, plural in nouns} == {translate(f"1 {noun}")[2:] for noun, _ in nouns}


def test_the_compiled_catalogue_is_the_one_in_the_sources(catalogue: Catalog) -> None:
    sources = {message.id: message.string for message in catalogue if message.id}
    # The empty message is the header.
    assert {message: text for message, text in read_translations("fr").items() if message} == sources
    assert sources["Nothing to read."] == "Il n'y a rien à lire."


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            "Read 5 text files of 111 lines and 0 captures of 0 packets.",
            "Lu : 5 fichiers texte de 111 lignes et 0 capture de 0 paquet.",
        ),
        ("1 line of edgeconfigprovisioning", "1 ligne de edgeconfigprovisioning"),
        ("Undo 7 changes on 3 peers of edge-lab?", "Annuler 7 changements sur 3 homologues de edge-lab ?"),
        ("✓ 8 other endpoints pass through every peer", "✓ 8 autres points de terminaison passent via chaque homologue"),
        (
            "  cucm:8443: shadowed, “certificate has expired” (from expc1, expc2)",
            "  cucm:8443 : shadowed, « certificate has expired » (depuis expc1, expc2)",
        ),
        ("clocks", "horloges"),
        ("4 of 33 checks passed before, 30 pass now.", "Réussite de 4 sur 33 contrôles avant, 30 maintenant."),
    ],
)
def test_parts_of_a_message_keep_their_sense(message: str, text: str) -> None:
    use_language("fr")
    assert translate(message) == text


def test_trust_is_no_approval(catalogue: Catalog) -> None:
    mixed = [
        message.id
        for message in catalogue
        if message.id and "approuv" in str(message.string).lower() and "approv" not in str(message.id).lower()
    ]
    assert mixed == []
