"""The plan as a page: well-formed, and loading nothing."""

from __future__ import annotations

from html.parser import HTMLParser

from remediate.model.plan import Plan
from remediate.report.html import plan_page
from tests.report.builders import fingerprints_of


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
    assert "needs approval" in page


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
