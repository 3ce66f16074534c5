"""Messages recognised by their templates, and said in another language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.language.catalogue import Catalogue
from remediate.language.template import Template

_WORDS = st.text(alphabet="abcxyz.0123", min_size=1, max_size=12)
CATALOGUE = Catalogue(
    {
        "Nothing to do.": "Rien à faire.",
        "{peer} is not up.": "{peer} ne répond pas.",
        "{peer} is not up. Wait.": "{peer} ne répond pas. Attendez.",
        "{count} of {total} verify": "{count} sur {total} passent",
        "{number} endpoints": "{number} points d'accès",
        "{a} and {b}": "{a} et {b}",
        "Write {{x}} in {file}.": "Mettez {{x}} dans {file}.",
        "Not translated.": "",
        "Cluster {name}": "Cluster {name}",
        "Cluster {name}, read at {time}": "Cluster {name}, lu le {time}",
        "read at {time}": "lu à {time}",
        "Not asked ({reason}).": "Non demandé ({reason}).",
        "too early; later at {time}": "trop tôt ; plus tard à {time}",
        "Not asked {rest}": "Pas demandé {rest}",
    }
)


def test_a_fixed_message() -> None:
    assert CATALOGUE.translate("Nothing to do.") == "Rien à faire."


def test_a_template_is_filled_in_again() -> None:
    assert CATALOGUE.translate("expc1.example.test is not up.") == "expc1.example.test ne répond pas."


def test_a_value_that_is_a_message_is_translated() -> None:
    assert CATALOGUE.translate("3 of 5 endpoints verify") == "3 sur 5 points d'accès passent"


def test_an_article_is_contracted_with_the_word_before_it() -> None:
    catalogue = Catalogue(
        {
            "from {source}": "de {source}",
            "at {place}": "à {place}",
            "file {path}": "le fichier {path}",
            "peers": "les homologues",
        }
    )
    assert catalogue.translate("from file a") == "du fichier a"
    assert catalogue.translate("at peers") == "aux homologues"
    assert catalogue.translate("from a") == "de a"


def test_zero_counts_in_the_singular() -> None:
    nouns = {"change": "changement", "changes": "changements", "call": "appel", "calls": "appels", "zones": "zones"}
    catalogue = Catalogue({**nouns, "{calls} and {changes}": "{calls} et {changes}"})
    assert catalogue.translate("0 calls and 2 changes") == "0 appel et 2 changements"
    assert catalogue.translate("10 calls") == "10 appels"
    assert catalogue.translate("0 zones") == "0 zones"


def test_sentences_are_translated_one_by_one() -> None:
    assert CATALOGUE.translate("Nothing to do. p is not up. Else.") == "Rien à faire. p ne répond pas. Else."


def test_the_longest_run_of_sentences_wins() -> None:
    assert CATALOGUE.translate("p is not up. Wait. Nothing to do.") == "p ne répond pas. Attendez. Rien à faire."


def test_few_letters_make_no_template_of_a_sentence() -> None:
    assert CATALOGUE.translate("p and q") == "p et q"
    assert CATALOGUE.translate("Look at p and go on.") == "Look at p and go on."


def test_a_comma_of_a_message_begins_no_enumeration() -> None:
    assert CATALOGUE.translate("Cluster a, read at 10:00") == "Cluster a, lu le 10:00"
    assert CATALOGUE.translate("Cluster a, p is not up.") == "Cluster a, p ne répond pas."


def test_the_same_words_in_both_languages_come_last() -> None:
    catalogue = Catalogue({"{address} {service}-trust": "{address} {service}-trust", "{a} and {b}": "{a} et {b}"})
    assert catalogue.translate("tomcat-trust and CallManager-trust") == "tomcat-trust et CallManager-trust"


def test_braces_are_braces() -> None:
    assert CATALOGUE.translate("Write {x} in a.yml.") == "Mettez {x} dans a.yml."


def test_blanks_at_the_ends_stay() -> None:
    assert CATALOGUE.translate("  Nothing to do. \n") == "  Rien à faire. \n"


def test_what_is_not_known_stays() -> None:
    assert CATALOGUE.translate("Not translated.") == "Not translated."
    assert CATALOGUE.translate("") == ""
    assert CATALOGUE.translate(" ") == " "


@given(_WORDS, _WORDS)
def test_what_a_template_made_it_recognises(peer: str, file: str) -> None:
    template = Template("On {peer} in {file}.", "Sur {peer} dans {file}.")
    message = f"On {peer} in {file}."
    assert next(template.fill_in(values) for values in template.list_matches(message)) == message.replace(
        "On ", "Sur "
    ).replace(" in ", " dans ")


def test_what_is_quoted_as_code_stays() -> None:
    catalogue = Catalogue(
        {"`{key}` is not a key of {parent}.": "`{key}` n'est pas une clé de {parent}.", "peers": "homologues"}
    )
    assert catalogue.translate("`peers` is not a key of peers.") == "`peers` n'est pas une clé de homologues."


def test_a_name_before_a_known_message() -> None:
    assert CATALOGUE.translate("edge-paris: Nothing to do.") == "edge-paris : Rien à faire."
    assert CATALOGUE.translate("expc1, expc2 (3 endpoints)") == "expc1, expc2 (3 points d'accès)"


def test_a_semicolon_parts_an_enumeration() -> None:
    assert CATALOGUE.translate("p (3 endpoints; read at 10:00)") == "p (3 points d'accès ; lu à 10:00)"


def test_lines_are_translated_one_by_one() -> None:
    assert CATALOGUE.translate("Nothing to do.\n  p is not up.") == "Rien à faire.\n  p ne répond pas."


def test_known_values_beat_more_words() -> None:
    catalogue = Catalogue(
        {
            "{address} could not be read: {error}": "{address} illisible : {error}",
            "{packets} could not be read: {kind} is {reason}": "{packets} illisibles : {kind} est {reason}",
            "its port is closed": "son port est fermé",
        }
    )
    assert catalogue.translate("p could not be read: its port is closed") == "p illisible : son port est fermé"


def test_brackets_of_a_template_hold_a_semicolon() -> None:
    assert CATALOGUE.translate("Not asked (too early; later at 12:00).") == "Non demandé (trop tôt ; plus tard à 12:00)."


def test_names_of_others_are_no_words() -> None:
    catalogue = Catalogue({"root": "racine", "by {user} on {host}, {role}": "par {user} sur {host}, {role}"})
    assert catalogue.translate("by root on vm, root") == "par root sur vm, racine"


def test_code_in_a_message_is_any_code() -> None:
    catalogue = Catalogue({"Run `openssl -in FILE` again.": "Relancez `openssl -in FILE`."})
    assert catalogue.translate("Run `openssl -in a.cer` again.") == "Relancez `openssl -in a.cer`."


@pytest.mark.parametrize(
    ("translations", "message", "translated"),
    [
        pytest.param(
            {
                "{names} is missing in {stores}: these refuse {peers}.": "{names} manque à {stores} : {peers} y est refusé.",
                "{store}-trust of {node}": "{store}-trust de {node}",
                "{join} and {last}": "{join} et {last}",
            },
            "Lab CA (imp) is missing in a-trust of b and c, d-trust of e: these refuse p, q.",
            "Lab CA (imp) manque à a-trust de b et c, d-trust de e : p, q y est refusé.",
            id="a sentence with commas is no enumeration",
        ),
        pytest.param(
            {
                "{peer} is not restarted: {reason}": "{peer} n'est pas redémarré : {reason}",
                "it still carries {calls}. Try again later, or end them": "il porte encore {calls}. Réessayez, ou mettez-y fin",
                "calls": "appels",
            },
            "p is not restarted: it still carries 3 calls. Try again later, or end them.",
            "p n'est pas redémarré : il porte encore 3 appels. Réessayez, ou mettez-y fin.",
            id="a value after a colon may be several sentences",
        ),
        pytest.param(
            {
                "Confirmed by {operator} on {moment}": "Confirmé par {operator} le {moment}",
                "{user} on {host} (process {pid})": "{user} sur {host} (processus {pid})",
            },
            "Confirmed by root on vm (process 1) on 2026-11-30",
            "Confirmé par root sur vm (processus 1) le 2026-11-30",
            id="a message is divided where its values are known",
        ),
    ],
)
def test_the_reading_with_the_fewest_english_words_counts(translations: dict[str, str], message: str, translated: str) -> None:
    assert Catalogue(translations).translate(message) == translated


def test_what_a_system_said_stays_as_it_is() -> None:
    catalogue = Catalogue(
        {"{node} answers: {words}": "{node} répond : {words}", "peers": "homologues", "{a} and {b}": "{a} et {b}"}
    )
    assert catalogue.translate('p answers: "Wait; peers, and peers."') == 'p répond : "Wait; peers, and peers."'


def test_a_full_stop_is_no_part_of_a_message() -> None:
    catalogue = Catalogue({"Report this.": "Signalez-le.", "{error}: try again": "{error} : réessayez"})
    assert catalogue.translate("Report this: try again.") == "Signalez-le : réessayez."


def test_a_name_of_a_product_is_in_one_piece() -> None:
    catalogue = Catalogue({"{a} and {b}": "{a} et {b}", "restart {peers}": "redémarrer {peers}"})
    assert catalogue.translate("restart IM and Presence and expc1") == "redémarrer IM and Presence et expc1"


def test_a_text_nested_too_deeply_stays_english() -> None:
    catalogue = Catalogue({"told that {text}": "dit que {text}", "all is well": "tout va bien"})
    assert catalogue.translate("told that all is well") == "dit que tout va bien"
    assert catalogue.translate(f"{'told that ' * 900}all is well").endswith("told that all is well")
