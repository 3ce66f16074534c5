"""Messages in the language in use."""

from __future__ import annotations

from remediate.language.messages import current_language, read_translations, translate, translate_for_page, use_language


def test_a_message_is_in_the_language_in_use() -> None:
    message, text = next(pair for pair in read_translations("fr").items() if pair[0] and "{" not in pair[0])

    assert (current_language(), translate(message)) == ("en", message)
    use_language("fr")
    assert (current_language(), translate(message)) == ("fr", text)


def test_without_a_catalogue_messages_stay_english() -> None:
    use_language("tlh")
    assert (read_translations("tlh"), translate("Commands")) == ({}, "Commands")


def test_on_a_page_no_sign_begins_a_line_of_french() -> None:
    use_language("fr")

    assert translate("Signed by:").endswith(" :")
    assert translate_for_page("Signed by:").endswith("\u00a0:")
    assert translate_for_page("Vrai ; faux ! Où ?") == "Vrai\u202f; faux\u202f! Où\u202f?"


def test_what_a_system_said_is_quoted_as_french_does() -> None:
    use_language("fr")

    assert translate("No peer restarts. “It restarts.”") == "Aucun homologue ne redémarre. « It restarts. »"
