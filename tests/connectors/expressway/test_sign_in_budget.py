"""The count of sign-ins, shared by every run and process that has one state directory."""

from __future__ import annotations

import multiprocessing
import os
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from remediate.connectors.expressway.sign_in_budget import SignInBudget
from remediate.model.limits import Limits

LIMITS = Limits()
PLACE = "expe1.example.test:8443"


def spend(state_dir: Path, username: str = "probe", place: str = PLACE, now: float = 1_000.0) -> bool:
    """Return whether a sign-in at this second has room in the budget."""
    return not SignInBudget(state_dir, lambda: now).spend(username, place, LIMITS)


def spend_in_process(state_dir: str) -> bool:
    """Spend as another process would."""
    return spend(Path(state_dir))


def test_two_sign_ins_have_room_in_the_window(tmp_path: Path) -> None:
    assert [spend(tmp_path, now=second) for second in (1_000, 1_100, 1_299)] == [True, True, False]
    assert spend(tmp_path, now=1_300), "the first is 300 s old"
    assert not spend(tmp_path, now=1_301)


def test_a_spent_budget_says_when_it_has_room_again(tmp_path: Path) -> None:
    assert [spend(tmp_path, now=second) for second in (1_000, 1_100)] == [True, True]
    no_room = SignInBudget(tmp_path, lambda: 1_210.0).spend("probe", PLACE, LIMITS)
    assert no_room is not None
    assert no_room.again_in_s == 90.0
    assert no_room.reason.endswith("the next one is possible on 1970-01-01T00:21:40Z")
    assert spend(tmp_path, now=1_300)


def test_a_refused_account_is_not_waited_for(tmp_path: Path) -> None:
    SignInBudget(tmp_path, lambda: 1_000.0).close("probe", LIMITS)
    no_room = SignInBudget(tmp_path, lambda: 1_010.0).spend("probe", PLACE, LIMITS)
    assert no_room is not None
    assert no_room.again_in_s is None


def test_each_account_and_way_has_its_own_budget(tmp_path: Path) -> None:
    assert [spend(tmp_path) for _ in range(3)] == [True, True, False]
    assert spend(tmp_path, username="other")
    assert spend(tmp_path, place="expe2.example.test:8443")


def test_one_account_in_two_spellings_has_one_budget(tmp_path: Path) -> None:
    spellings = [("probe", PLACE), ("PROBE", PLACE), ("Probe", PLACE.upper())]
    assert [spend(tmp_path, username, place) for username, place in spellings] == [True, True, False]


def test_a_closed_account_has_room_on_no_way(tmp_path: Path) -> None:
    SignInBudget(tmp_path, lambda: 1_000.0).close("probe", LIMITS)
    assert not spend(tmp_path, place="expe2.example.test:8443", now=1_299)
    assert spend(tmp_path, username="other", now=1_299)
    assert spend(tmp_path, now=1_300)


def test_many_processes_spend_no_more_than_there_is(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        assert sum(pool.map(spend_in_process, [str(tmp_path)] * 24)) == 2


def test_the_file_is_private_and_has_no_name_in_it(tmp_path: Path) -> None:
    budget = SignInBudget(tmp_path / "state", lambda: 1_000.0)
    budget.spend("probe", PLACE, LIMITS)
    assert stat.S_IMODE(budget.path.stat().st_mode) == 0o600
    assert "probe" not in budget.path.read_text()
    assert "expe1" not in budget.path.read_text()


def test_a_file_that_others_may_read_is_made_private(tmp_path: Path) -> None:
    path = SignInBudget(tmp_path).path
    path.touch(mode=0o666)
    path.chmod(0o666)
    spend(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


GARBAGE = {
    "text": b"hello\n",
    "bytes": b"\xff\x00",
    "half a line": b"a" * 64,
    "a count that is none": b"a" * 64 + b" -1\n",
    "too many digits": b"a" * 64 + b" 999999999999999\n",
    "digits of another script": b"a" * 64 + " ١٢".encode() + b"\n",
    "larger than it ever is": b"a" * 2_000_000,
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
def test_an_unreadable_count_is_a_spent_one_for_a_window(tmp_path: Path, content: bytes) -> None:
    SignInBudget(tmp_path).path.write_bytes(content)
    assert [spend(tmp_path, now=second) for second in (1_000, 1_299)] == [False, False]
    assert spend(tmp_path, now=1_300)


def test_a_sign_in_in_the_future_is_one_of_now(tmp_path: Path) -> None:
    # Given a clock that was set back after two sign-ins
    assert spend(tmp_path, now=9_000)
    assert spend(tmp_path, now=9_000)
    # When it is asked again, Then they count, and no longer than others
    assert not spend(tmp_path, now=1_000)
    assert spend(tmp_path, now=1_300)


HOSTILE_KINDS = ("directory", "pipe", "link", "loop")


@pytest.mark.parametrize("kind", HOSTILE_KINDS)
def test_what_is_no_file_allows_no_sign_in(tmp_path: Path, kind: str) -> None:
    path, target = SignInBudget(tmp_path).path, tmp_path / "target"
    target.write_text("precious\n")
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if kind == "link" else path)
    no_room = SignInBudget(tmp_path).spend("probe", PLACE, LIMITS)
    assert no_room is not None
    assert ("cannot be counted" in no_room.reason, no_room.again_in_s) == (True, None)
    assert target.read_text() == "precious\n"


def test_a_state_directory_that_is_none_allows_no_sign_in(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not spend(tmp_path / "file")


def test_old_counts_are_dropped(tmp_path: Path) -> None:
    for second in range(1_000, 20_000, 150):
        spend(tmp_path, now=second)
    assert len(SignInBudget(tmp_path).path.read_text().splitlines()) <= LIMITS.max_sign_ins
