"""Gaps of discovery: what a source names and what is not used of it."""

from __future__ import annotations

from remediate.connectors.gaps import MAX_SHOWN_NAMES, make_limit_gap, make_refusal_gap


def test_a_refusal_holds_the_first_names_and_their_number() -> None:
    names = [f"n{number}.test" for number in range(MAX_SHOWN_NAMES + 5)]

    gap = make_refusal_gap("cucm.test", "axl", "loopback address", names, incomplete=True)

    assert (gap.kind, gap.incomplete, gap.names, gap.count) == (
        "name-refused",
        True,
        tuple(names[:MAX_SHOWN_NAMES]),
        len(names),
    )
    assert "15 servers that are not checked (loopback address)" in gap.message
    assert "add it to the inventory" in gap.message
    assert "n14.test" not in gap.message


def test_a_limit_counts_what_exceeds_it() -> None:
    gap = make_limit_gap("cucm.test", "uds", 3, 5, incomplete=False)

    assert (gap.kind, gap.count, gap.names) == ("over-limit", 2, ())
    assert "names 5 servers, more than the 3" in gap.message
