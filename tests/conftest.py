"""What holds for every test: none knows the passwords of another, which would be masked in its messages, or has its language."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests import french, scrambling

if scrambling.IS_ON or french.IS_ON:
    scrambling.install(scrambling.SCRAMBLED if scrambling.IS_ON else ())

from remediate.language.choice import ENGLISH, LANGUAGE_VARIABLE
from remediate.language.messages import use_language
from remediate.model import masking

_LONGEST_ID = 50

# Also for the processes that tests start: messages are compared in English, whatever the locale is.
os.environ[LANGUAGE_VARIABLE] = "fr" if french.IS_ON else ENGLISH
# A shell lets what it runs in the background ignore Ctrl-C, which tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _nothing_of_another_test() -> Iterator[None]:
    yield
    masking.forget()
    use_language(ENGLISH)


@pytest.fixture
def set_local_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Yield what puts this machine into a time zone until the test ends."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=scrambling.IS_ON)
def _scrambled_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    scrambling.scramble_messages(monkeypatch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Let a story in French fail for English words alone: what it asserts of English sentences is not all left out."""
    del item
    try:
        return (yield)
    except Exception as error:
        if not french.IS_ON or isinstance(error, french.EnglishWordsError):
            raise
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that quote a message where messages are scrambled, and keep the groups of pytest-xdist together."""
    if getattr(config.option, "loadgroup", False):
        _name_groups(items)
    if scrambling.IS_ON:
        items[:] = [item for item in items if item.name.partition("[")[0] not in scrambling.QUOTING]


def _name_groups(items: list[pytest.Item]) -> None:
    """Write the group of each item into its id: pytest 9.2 ignores where pytest-xdist 3.8 writes it."""
    for item in items:
        mark = item.get_closest_marker("xdist_group")
        if mark and item.parent and hasattr(item, "_id") and "@" not in item.nodeid:
            item._id = item.parent.id.child(f"{item.name}@{mark.args[0]}")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a long value by its parameter, as recent releases of pytest do; None leaves the name to pytest.

    Long values hold certificates with new keys. The workers of one run would give such a test different names.
    """
    del config
    if isinstance(val, str | bytes) and len(val) > _LONGEST_ID:
        return argname
    return None
