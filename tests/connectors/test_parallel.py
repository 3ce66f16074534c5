"""Work on several systems at once."""

from __future__ import annotations

import threading

import pytest

from remediate.connectors.parallel import run_after_first_success, run_at_once


def test_results_come_in_the_order_of_the_items() -> None:
    # Given work that ends only when all of it has begun
    barrier = threading.Barrier(4, timeout=5)

    def work(number: int) -> int:
        barrier.wait()
        return number * number

    assert run_at_once(work, [3, 1, 2, 0]) == [9, 1, 4, 0]


def test_the_first_error_is_raised_when_all_have_ended() -> None:
    ended: list[int] = []

    def work(number: int) -> None:
        ended.append(number)
        if number:
            raise ValueError(str(number))

    with pytest.raises(ValueError, match=r"^2$"):
        run_at_once(work, [0, 2, 1])
    assert sorted(ended) == [0, 1, 2]


def test_nothing_else_begins_before_the_first_success() -> None:
    # Given two systems that do not answer, one that takes the login, and two that end only together
    begun: list[int] = []
    barrier = threading.Barrier(2, timeout=5)

    def work(number: int) -> bool:
        begun.append(number)
        if number > 2:
            barrier.wait()
        return number == 2

    assert run_after_first_success(work, [0, 1, 2, 3, 4], bool) == [False, False, True, False, False]
    assert begun[:3] == [0, 1, 2]


def test_an_error_before_the_first_success_ends_it() -> None:
    begun: list[int] = []

    def work(number: int) -> bool:
        begun.append(number)
        raise PermissionError

    with pytest.raises(PermissionError):
        run_after_first_success(work, [0, 1, 2], bool)
    assert begun == [0]


def test_no_item_has_no_result() -> None:
    assert run_after_first_success(bool, [], bool) == []
