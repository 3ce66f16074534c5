"""Scrambled prose: every sentence of errors, events and the journal as random words of the same lengths.

With ``REMEDIATE_SCRAMBLED=1`` the tests run with it; `make scrambled` runs those of state, exit code, journal and plan. What passes
then does not depend on the wording of a message.
"""

from __future__ import annotations

import os
import random
import re
import string
from collections.abc import Callable
from typing import Any

import pytest

from remediate.executor.journal import store
from remediate.model import errors
from remediate.model.events import Event

QUOTING = frozenset(
    {
        "test_a_journal_of_an_older_version_keeps_its_runs",
        "test_a_file_in_the_place_of_the_journal_is_refused",
        "test_a_journal_that_fails_between_two_writes_stops_everything",
        "test_what_fails_in_the_middle_of_a_transaction_is_all_undone",
        "test_a_refresh_whose_answer_is_lost_is_not_sent_again",
        "test_a_box_that_does_more_than_it_was_asked_is_noticed",
        "test_a_removal_by_hand_is_guided_and_checked",
        "test_a_rollback_notices_a_removal_of_too_much",
        "test_a_refused_login_on_the_way_back_is_tried_on_no_other_step",
        "test_an_unknown_run_and_a_run_of_another_cluster_are_refused",
        "test_a_later_run_that_may_rely_on_this_one_is_said",
        "test_the_workaround_is_not_forgotten_over_a_rollback",
        "test_a_list_cut_before_a_run_is_stale_and_says_what_is_gone",
        "test_what_a_later_run_wants_stays",
        "test_a_write_that_an_interruption_prevented_is_not_done",
        "test_a_full_disk_is_refused_before_the_first_write",
        "test_a_state_directory_that_cannot_be_written_is_refused",
        "test_a_restored_list_with_banned_suites_is_named",
        "test_a_late_replication_is_told_with_its_alarms",
    }
)
"""Tests that quote a message, in the modules that `make scrambled` runs: they are about its wording."""

IS_ON = os.environ.get("REMEDIATE_SCRAMBLED") == "1"


def scramble(sentence: str) -> str:
    """Return `sentence` with random letters in the place of its letters and digits."""
    return re.sub(r"\w", lambda _: random.choice(string.ascii_lowercase), sentence)  # noqa: S311  no secret is made of it


def scramble_prose(patch: pytest.MonkeyPatch) -> None:
    """Scramble what is said from now on, until `patch` is undone."""
    patch.setattr(errors, "mask", scramble)
    patch.setattr(store, "mask", scramble)
    patch.setattr(Event, "__post_init__", _with_scrambled_message(Event.__post_init__))


def _with_scrambled_message(post_init: Callable[[Event], None]) -> Callable[[Event], None]:
    def scrambled(event: Event, *arguments: Any) -> None:
        post_init(event, *arguments)
        object.__setattr__(event, "message", scramble(event.message))

    return scrambled
