"""What is read from the description of an interface, however it is written, and how long that takes."""

from __future__ import annotations

import pytest

from remediate.connectors.expressway.capabilities import Capabilities, read_capabilities
from remediate.connectors.expressway.raml import MAX_PAGE_CHARACTERS, read_description
from remediate.lab import SCENARIOS
from remediate.lab.raml import raml
from remediate.lab.scenario import PageStyle, Removal
from tests.timing import assert_done_within, assert_grows_in_proportion

OFFERED = Capabilities(described=True, refresh_products=("cucm", "imp"), restart=True, logging_method="PUT")
RESTART = ("post", "/restart")


@pytest.mark.parametrize("style", PageStyle)
def test_every_style_of_the_page_shows_the_same(style: PageStyle) -> None:
    assert read_capabilities(raml(SCENARIOS["story"], style)) == OFFERED


@pytest.mark.parametrize("style", PageStyle)
@pytest.mark.parametrize("removal", [form for form in Removal if form not in (Removal.NONE, Removal.UNKNOWN)])
def test_every_form_of_delete_is_found_in_every_style(style: PageStyle, removal: Removal) -> None:
    capabilities = read_capabilities(raml(SCENARIOS["story"], style, removal))

    assert (capabilities.remove_trusted_ca, capabilities.unknown_removal) == (True, False)
    assert capabilities.removal == read_capabilities(raml(SCENARIOS["story"], PageStyle.BLOCK, removal)).removal


@pytest.mark.parametrize("style", PageStyle)
def test_an_unknown_form_of_delete_is_not_offered(style: PageStyle) -> None:
    capabilities = read_capabilities(raml(SCENARIOS["story"], style, Removal.UNKNOWN))

    assert (capabilities.remove_trusted_ca, capabilities.unknown_removal) == (False, True)


PAGES = {
    "flow style": "{/provisioning: {/restart: {post: {}}}}",
    "flow style without values": "{/provisioning: {/restart: {post}}}",
    "one path": "/api/v1/provisioning/restart: {post: {description: x}}",
    "the version as a variable": "/api/{version}/provisioning:\n  /restart:\n    post:\n",
    "an alias": "x: &restart\n  /restart:\n    post:\n/provisioning: *restart\n",
    "a merged alias": "x: &restart\n  /restart:\n    post:\n/provisioning:\n  <<: *restart\n",
    "two merged aliases": "x: &a {/x: {get: }}\ny: &b {/restart: {post: }}\n/provisioning:\n  <<: [*a, *b]\n",
    "an include": "/provisioning:\n  /certs: !include certs.raml\n  /restart:\n    post: !include restart.raml\n",
    "a resource twice": "/provisioning:\n  /restart:\n    get:\n/provisioning:\n  /restart:\n    post:\n",
    "a mistake before": "/x:\n  get:\n    description: 'open\n/provisioning:\n  /restart:\n    post:\n",
    "a mistake after": "/provisioning:\n  /restart:\n    post:\n/x: [\n",
    "a mistake within": "/provisioning:\n  /x:\n    get: [\n  /restart:\n    post:\n  /y: }\n",
    "a mistake in flow style after": "{/provisioning: {/restart: {post: {}}, /x: [}",
    "a tab": "/provisioning:\n  /x:\n\t get:\n  /restart:\n    post:\n",
    "methods in capitals": "/restart:\n  POST:\n",
    "an alias to nothing": "/x: *nowhere\n/restart:\n  post:\n",
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_resource_is_found_however_it_is_written(page: str) -> None:
    assert RESTART in read_description(page).operations


NOTHING = {
    "an example in block style": "/x:\n  get:\n    example: |\n      /restart:\n        post:\n",
    "an example that is a mapping": "/x: {get: {example: {/restart: {post: {}}}}}",
    "a description in a broken part": "/x:\n  description: |\n    /restart:\n      post:\n  get: [\n",
    "a web page": "<!DOCTYPE html><html>/restart:\n  post:\n</html>",
    "only a value": "a: /restart post",
    "a page over the limit": "/restart:\n  post:\n#" + "x" * MAX_PAGE_CHARACTERS,
}


@pytest.mark.parametrize("page", NOTHING.values(), ids=NOTHING)
def test_what_only_looks_like_a_resource_is_none(page: str) -> None:
    assert RESTART not in read_description(page).operations


def laughing(levels: int) -> str:
    """Each level names the one below it ten times."""
    lines = ["a0: &a0 {/x: {get: {}}}"]
    for level in range(1, levels):
        inside = ", ".join(f"/{number}: *a{level - 1}" for number in range(10))
        lines.append(f"a{level}: &a{level} {{{inside}}}")
    return "\n".join([*lines, f"/all: *a{levels - 1}", ""])


@pytest.mark.parametrize(
    "page",
    [laughing(30), "/a: &a\n  /b: *a\n", "&a {/b: *a}", "{" * 100_000, "[" * 1_000_000, "- " * 1_000_000, "/a: {" * 200_000],
    ids=["aliases of aliases", "itself", "itself whole", "braces", "brackets", "sequences", "resources"],
)
def test_a_page_that_was_made_to_grow_does_not(page: str) -> None:
    assert_done_within(5, lambda: read_description(page))


SHAPES = {
    "resources": "/r{n}:\n  /x:\n    get:\n      description: hello there\n",
    "resources in flow style": "/r{n}: {{/x: {{get: {{description: hello there}}}}}}\n",
    "broken resources": "/r{n}:\n  /x:\n    get: [\n    post:\n      body: x\n",
    "one long method": "      line {n}\n",
    "mistakes": "/r{n}: '\n",
    "blanks": "/r{n}:" + " " * 40 + "x\n",
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("start", ["", "/x:\n  get: [\n", "/x:\n    post:\n"], ids=["whole", "broken", "below"])
def test_the_time_grows_with_the_page_and_not_with_its_square(shape: str, start: str) -> None:
    def read(copies: int) -> None:
        read_description(start + "".join(shape.format(n=number) for number in range(copies)))

    assert_grows_in_proportion(read, 500, 4)
