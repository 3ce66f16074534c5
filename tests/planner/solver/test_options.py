"""Options: what may be done with one common name group of one list."""

from __future__ import annotations

from remediate import Certificate
from remediate.planner.solver.options import (
    KEEP,
    MAX_COMBINED_REMOVALS,
    Option,
    PeerList,
    apply_options,
    has_too_many_removals,
    list_options,
)
from tests.pki import issue

OLD, STALE, NEW = (issue("Root", ca=True, key_name=name).certificate for name in ("old", "stale", "new"))
STRANGER = issue("Stranger", ca=True).certificate
UNREADABLE = Certificate.from_der(b"\x30\x03\x02\x01\x01")


def test_an_addition_needs_the_group_for_itself() -> None:
    assert list_options((), (NEW,), (), {NEW}) == (KEEP, Option(NEW))
    assert list_options((OLD,), (NEW,), (), {OLD, NEW}) == (KEEP,)
    assert list_options((OLD,), (NEW,), (OLD,), {OLD, NEW}) == (KEEP, Option(remove=(OLD,)), Option(NEW, (OLD,)))


def test_an_irrelevant_certificate_is_never_removed() -> None:
    assert list_options((OLD, STALE), (), (OLD, STALE), {STALE}) == (KEEP, Option(remove=(STALE,)))


def test_an_unreadable_group_is_removed_as_a_whole() -> None:
    assert list_options((UNREADABLE,), (NEW,), (UNREADABLE,), set()) == (KEEP, Option(remove=(UNREADABLE,)))
    assert list_options((UNREADABLE,), (NEW,), (), set()) == (KEEP,)


def test_many_stale_copies_are_removed_singly_or_all_together() -> None:
    copies = tuple(issue("Root", ca=True, key_name=f"copy {n}").certificate for n in range(MAX_COMBINED_REMOVALS + 1))
    removals = {len(option.remove) for option in list_options(copies, (), copies, set(copies))}

    assert removals == {0, 1, len(copies)}
    assert has_too_many_removals(copies, set(copies))
    assert not has_too_many_removals(copies[1:], set(copies))


def test_options_alike_for_the_certificates_that_matter_are_one() -> None:
    assert Option(NEW, (OLD, STALE)).within({OLD}) == Option(remove=(OLD,))
    assert Option(NEW, (OLD,)).within({STRANGER}) is KEEP


def test_a_list_keeps_its_order_and_additions_go_to_its_end() -> None:
    first, second = sorted((NEW, STRANGER), key=lambda certificate: certificate.fingerprint)

    assert apply_options((OLD, STALE), [Option(second), Option(first, (OLD,)), KEEP]) == (STALE, first, second)


def test_a_list_has_groups_an_order_and_its_unreadable_entries() -> None:
    listed = PeerList.of((STALE, STRANGER, OLD, UNREADABLE))

    assert listed.by_group["cn:root"] == (STALE, OLD)
    assert listed.unreadable == {UNREADABLE}
    assert listed.among((OLD, NEW, STALE)) == (STALE, OLD)
