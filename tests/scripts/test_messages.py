"""Messages extracted from sources: what a message chooses from, and single words."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.messages import extract_messages

_SOURCE = '''
"""A module."""


def describe(names, peer, ticket):
    """Return a sentence."""
    verb = "is" if len(names) == 1 else "are"
    note = f", ticket {ticket}" if ticket else ""
    which = "it" if len(names) == 1 else "them"
    return f"{peer} {verb} not up{note}; restart {which}."


def refuse(path):
    """Raise an error."""
    raise ValueError(f"These are refused:\\n  {path} is not there.")


TITLES = mark_words("endpoint", "cause")
QUERY = "SELECT a FROM b"
'''


@pytest.fixture
def messages(tmp_path: Path) -> list[str]:
    module = tmp_path / "remediate/cli/module.py"
    module.parent.mkdir(parents=True)
    module.write_text(_SOURCE, encoding="utf-8")
    return [message for message, places in extract_messages(tmp_path).items() if "remediate/cli/module.py" in places]


def test_each_choice_is_a_whole_sentence(messages: list[str]) -> None:
    assert [message for message in messages if message.startswith("{peer}")] == [
        "{peer} is not up, ticket {ticket}; restart it.",
        "{peer} is not up; restart it.",
        "{peer} are not up, ticket {ticket}; restart them.",
        "{peer} are not up; restart them.",
    ]
    assert not {"is", "are", ", ticket {ticket}"} & set(messages)


def test_lines_of_a_message_are_messages(messages: list[str]) -> None:
    assert {"These are refused:", "  {path} is not there."} <= set(messages)


def test_marked_words_are_messages_and_queries_are_none(messages: list[str]) -> None:
    assert {"endpoint", "cause"} <= set(messages)
    assert not [message for message in messages if "SELECT" in message]
