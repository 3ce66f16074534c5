"""The environment of a run: the client that is opened for it, and what is there where none is given."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from remediate.executor.environment import Environment, with_client
from remediate.model.access import MraAccess
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.identity import Address
from remediate.model.limits import Limits
from remediate.trust.verifier import verify_snapshot
from tests.executor.clusters import story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remediate.executor.ports import AskThrough

WAY, NODE = MraAccess("expe.test", 8443), Address("cucm.test")


def test_a_client_is_open_while_it_is_used(tmp_path: Path) -> None:
    states: list[str] = []

    @contextmanager
    def open_client(state_dir: Path) -> Iterator[AskThrough]:
        states.append(f"open in {state_dir.name}")
        yield lambda *_: ClientAnswer(AnswerKind.REACHED, "HTTP 200")
        states.append("closed")

    with with_client(Environment(open_client=open_client), tmp_path / "state") as environment:
        assert environment.ask_through(WAY, NODE, 8443, None, Limits()).kind is AnswerKind.REACHED
        assert states == ["open in state"]
    assert states == ["open in state", "closed"]


def test_without_a_client_nothing_is_asked_and_that_is_the_answer() -> None:
    assert Environment().ask_through(WAY, NODE, 8443, None, Limits()).kind is AnswerKind.NOT_ASKED


def test_verdicts_are_those_of_the_endpoint_verifier() -> None:
    snapshot = story().snapshot()
    assert Environment().judge(snapshot) == verify_snapshot(snapshot)
