"""Scrambled prose: code that decides by a sentence fails with it, and a test keeps every assertion that quotes none."""

from __future__ import annotations

import ast
from typing import Any

from tests.scrambling import drop_quotations, scramble_source

PRODUCER = """
def refuse(count):
    \"\"\"Return why the list is full.\"\"\"
    return f"the list of {count} is full", "list-full"
"""
BY_SENTENCE = """
def is_full(refusal):
    return "is full" in refusal[0]
"""
BY_KIND = """
def is_full(refusal):
    return refusal[1] == "list-full"
"""


def run(source: str, module: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(scramble_source(source, module), module, "exec"), names)  # noqa: S102 - a module of this test
    return names


def test_code_that_decides_by_a_sentence_goes_wrong() -> None:
    refusal = run(PRODUCER, "producer")["refuse"](3)

    assert not run(BY_SENTENCE, "consumer")["is_full"](refusal)
    assert run(BY_KIND, "consumer")["is_full"](refusal)


def test_a_sentence_keeps_its_length_and_its_values() -> None:
    names = run(PRODUCER, "producer")

    sentence, kind = names["refuse"](3)
    assert (len(sentence), "3" in sentence, kind) == (len("the list of 3 is full"), True, "list-full")
    assert names["refuse"].__doc__ == "Return why the list is full."


def test_the_same_sentence_differs_from_place_to_place() -> None:
    assert run(PRODUCER, "one")["refuse"](3) != run(PRODUCER, "another")["refuse"](3)


def test_statements_to_the_database_stay_as_they_are() -> None:
    assert run("QUERY = 'SELECT state FROM runs WHERE id = ? and peer = ?'", "store")["QUERY"].startswith("SELECT state")


def test_of_a_test_only_what_quotes_a_sentence_is_left_out() -> None:
    tree = drop_quotations(
        "def test_it():\n"
        "    with pytest.raises(Refused, match='no room'):\n"
        "        apply()\n"
        "    assert (result.exit_code, result.message, result.state) == (8, 'it has no room', 'partial')\n"
        "    assert result.state == 'partial' and 'no room left' in result.message\n"
        "    assert 'room' in result.message\n"
    )

    assert ast.unparse(tree) == (
        "def test_it():\n"
        "    with pytest.raises(Refused):\n"
        "        apply()\n"
        "    assert (result.exit_code, result.state) == (8, 'partial')\n"
        "    assert result.state == 'partial'\n"
        "    pass"
    )
