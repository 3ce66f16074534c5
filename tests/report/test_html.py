"""The plan as a page: well-formed, and loading nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from remediate.language.messages import use_language
from remediate.model.identity import Address
from remediate.model.plan import Plan
from remediate.report.html import plan_page
from tests.report.builders import fingerprints_of
from tests.report.large_plan import DOMAIN, large_plan
from tests.report.run_examples import page_of_a_run


def test_the_page_is_well_formed_and_loads_nothing(plan: Plan) -> None:
    page = plan_page(plan)
    tags = _Tags()
    tags.feed(page)

    assert not tags.open
    assert tags.seen.isdisjoint({"link", "img", "iframe", "object"})
    assert page.count("<script>") == 1
    assert " style=" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    for fingerprint in fingerprints_of(plan):
        assert fingerprint in page
    assert "needs your approval" in page


@pytest.mark.parametrize("draw", [lambda: plan_page(large_plan(60)), page_of_a_run], ids=["plan", "run"])
def test_a_language_changes_no_colour_and_no_choice(draw: Callable[[], str]) -> None:
    english = _marks_of(draw())
    use_language("fr")

    assert _marks_of(draw()).keys() == english.keys()


def _marks_of(page: str) -> Counter[str]:
    """Return how often each class, id and the like is there."""
    return Counter(re.findall(r' (?:class|id|for|role|scope)="[^"]*"', page))


def test_a_language_changes_no_name_of_others() -> None:
    plan = large_plan(60)
    words = ("voicemail", "server", "platform", "root")
    renamed = replace(
        plan,
        endpoints=tuple(
            replace(forecast, address=Address(f"{words[number // 6]}.{DOMAIN}"))
            for number, forecast in enumerate(plan.endpoints[: 6 * len(words)])
        ),
    )
    use_language("fr")

    assert all(f'<span class="n">{word}</span>' in plan_page(renamed) for word in words)


def test_a_command_in_a_sentence_is_code() -> None:
    page = plan_page(large_plan(60), "Next: `remediate approve <plan>.json`, then apply it.")

    assert "Next: <code>remediate approve &lt;plan&gt;.json</code>, then apply it." in page


def test_a_sentence_of_a_chain_has_one_colour() -> None:
    page = plan_page(large_plan(60))

    peers = re.findall(r'<text class="(\w+)"[^>]*>[^<]*expressway-c\d', page)
    assert set(peers) == {"good"}
    assert len(peers) > 2


class _Tags(HTMLParser):
    _VOID = frozenset({"meta", "br", "input", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.seen.add(tag)
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
