"""The report in a real browser: on a phone, a laptop and paper, for a reader who sees, hears or prints it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.resources import files

import pytest
from playwright.sync_api import Page, Request

from remediate.language.choice import LANGUAGES
from remediate.language.messages import use_language
from remediate.model.identity import Address
from remediate.model.plan import Plan
from remediate.report.html import plan_page
from tests.pages.conftest import OpenPage
from tests.report.builders import plan_with
from tests.report.large_plan import large_plan
from tests.report.run_examples import page_of_a_run

pytestmark = pytest.mark.xdist_group("browser")

PAPER = 703
"""Pixels between the margins of an A4 sheet: 210 mm less 2 x 12 mm at 96 dpi."""
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
LONG = "A " + "very-long-name-without-a-blank" * 4
PLANS: Mapping[str, Plan] = {"small": plan_with(LONG[:64], advice=LONG, note=LONG, cluster=LONG), "large": large_plan(500)}


@pytest.fixture(params=[*PLANS, "run"])
def html(request: pytest.FixtureRequest) -> str:
    return page_of_a_run(LONG, LONG) if request.param == "run" else plan_page(PLANS[request.param])


CAPITALS = "CUCM-PUBLISHER-MWM.COMMUNICATIONS.ENTERPRISE-NETWORK.EXAMPLE"


def visible_endpoints(page: Page) -> int:
    return int(
        page.evaluate("""() => [...document.querySelectorAll('tr.r')].filter((row) => row.offsetParent)
        .flatMap((row) => [...row.querySelectorAll('.n')]).filter((name) => !name.hidden).length""")
    )


@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (1280, "screen"), (PAPER, "print")])
def test_a_page_is_never_wider_than_the_screen_or_the_sheet(html: str, width: int, media: str, open_page: OpenPage) -> None:
    page = open_page(html, width=width, media=media)

    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (PAPER, "print")])
def test_the_names_of_endpoints_have_room(html: str, width: int, media: str, open_page: OpenPage) -> None:
    page = open_page(html, width=width, media=media)

    assert page.evaluate("document.querySelector('tr.r th').offsetWidth") >= (180 if media == "screen" else 110)


@pytest.mark.parametrize(("width", "media"), [(390, "screen"), (1280, "screen"), (PAPER, "print")])
@pytest.mark.parametrize("draw", [lambda: plan_page(plan_of_two_domains()), page_of_a_run], ids=["plan", "run"])
def test_names_are_broken_after_dots_and_hyphens_alone(
    draw: Callable[[], str], width: int, media: str, open_page: OpenPage
) -> None:
    page = open_page(draw(), width=width, media=media)

    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")

    assert page.evaluate(_BROKEN_WORDS) == []


def plan_of_two_domains() -> Plan:
    """Return a plan of which each name stands in full: its endpoints have no domain in common."""
    plan = large_plan(60)
    elsewhere = tuple(
        replace(forecast, address=Address("unitycommunications01.telephonie.banquenationaleexemple.test"))
        for forecast in plan.endpoints[:6]
    )
    return replace(plan, endpoints=(*elsewhere, *plan.endpoints[6:]))


_BROKEN_WORDS = r"""() => {
    const broken = [], range = document.createRange(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode());) {
        if (node.parentElement.offsetWidth === 1 || /[0-9a-f]{64}/.test(node.data)) continue;
        for (const { 0: word, index } of node.data.matchAll(/\p{L}[\p{L}\d]*/gu)) {
            range.setStart(node, index);
            range.setEnd(node, index + word.length);
            const tops = [...range.getClientRects()].map(({ top }) => top);
            if (/\p{L}{3}/u.test(word) && tops.length && Math.max(...tops) - Math.min(...tops) > 6)
                broken.push(node.data.trim());
        }
    }
    return broken;
}"""
"""The texts with a word that stands on two lines; not fingerprints, and nothing that only a screen reader has."""


@pytest.mark.parametrize("heading", ["h2", "h3"])
def test_no_heading_of_a_sheet_stands_apart_from_its_text(heading: str, open_page: OpenPage) -> None:
    page = open_page(page_of_a_run(), media="print")

    assert page.evaluate("(tag) => getComputedStyle(document.querySelector(`main > * ${tag}, main > ${tag}`)).breakAfter",
                         heading) == "avoid"  # fmt: skip
    assert page.evaluate("getComputedStyle(document.querySelector('.panels .panel')).breakInside") == "avoid"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_a_drawn_chain_is_cut(language: str, open_page: OpenPage) -> None:
    use_language(language)
    plan = large_plan(60)
    capitals = replace(plan, chains=tuple(replace(group, missing=CAPITALS) for group in plan.chains))

    rooms = [room for each in (plan, capitals) for room in open_page(plan_page(each)).evaluate(_ROOM_OF_TEXTS)]

    assert min(rooms) >= 0


_ROOM_OF_TEXTS = """() => [...document.querySelectorAll('svg text')].map((text) => {
    const box = text.getBBox();
    return text.ownerSVGElement.viewBox.baseVal.width - 4 - box.x - box.width;
})"""
"""The pixels that are left of each line of a drawing."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(html: str, width: int, scheme: str, open_page: OpenPage) -> None:
    page = open_page(html, width=width, scheme=scheme)

    page.evaluate(AXE)

    assert page.evaluate("async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes[0].html])") == []


def test_a_page_asks_for_nothing_and_breaks_no_policy(html: str, open_page: OpenPage) -> None:
    page = open_page(html)
    urls: list[str] = []
    complaints: list[str] = []

    def record(request: Request) -> None:
        urls.append(request.url)

    page.on("request", record)
    page.on("console", lambda message: complaints.append(message.text))
    page.reload()

    assert urls == [page.url]
    assert complaints == []


def test_the_filter_finds_an_endpoint_in_a_folded_row(open_page: OpenPage) -> None:
    page = open_page(plan_page(PLANS["large"]))
    assert visible_endpoints(page) == 500

    page.get_by_label("Filter").fill("site007 6971")

    assert visible_endpoints(page) == 1
    assert page.locator("#count").inner_text() == "Endpoints shown: 1"


def test_a_chip_shows_the_rows_of_its_kind_alone(open_page: OpenPage) -> None:
    page = open_page(plan_page(PLANS["large"]))

    page.get_by_text("Still fail").click()

    assert visible_endpoints(page) == 25


def test_without_its_script_a_page_shows_every_row(open_page: OpenPage) -> None:
    page = open_page(plan_page(PLANS["large"]), script=False)

    assert page.locator("tr.r").count() == page.locator("tr.r >> visible=true").count() > 4
    assert not page.get_by_label("Filter").is_visible()
    page.get_by_text("Still fail").click()
    assert page.locator("tr.fail >> visible=true").count() == page.locator("tr.r >> visible=true").count() > 0


def test_a_page_prints_on_a4_with_everything_unfolded(open_page: OpenPage) -> None:
    page = open_page(plan_page(PLANS["large"]), media="print")

    sheet = page.pdf(prefer_css_page_size=True)

    sizes = re.findall(rb"/MediaBox \[([^\]]*)\]", sheet)
    assert {tuple(round(float(number) / 5) for number in size.split()) for size in sizes} == {(0, 0, 119, 168)}
    assert page.locator("details:not([open])").count() == 0


def test_hostile_names_run_nothing(open_page: OpenPage) -> None:
    hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    page = open_page(plan_page(plan_with(hostile[:64], advice=hostile, note=hostile, error=hostile, cluster=hostile)))

    assert page.title().startswith("Plan for </script>")


def test_a_page_of_6_x_5000_stays_small_and_opens(open_page: OpenPage) -> None:
    html = plan_page(large_plan(5000))

    page = open_page(html)

    # Its size follows the number of different situations, and the names: one element each, and each where it is named.
    assert page.locator("tr.r").count() < 60
    assert page.locator(".n").count() == 5000
    assert page.locator("*").count() < 5000 + 800
    assert len(html) < 100 * 5000
