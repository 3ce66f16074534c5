"""What ``/api/raml`` shows, read from pages that are good, odd and broken."""

from __future__ import annotations

import pytest

from remediate.connectors.expressway.capabilities import Capabilities, read_capabilities
from remediate.lab import SCENARIOS
from remediate.lab.raml import raml


def test_the_labs_page_shows_what_is_offered() -> None:
    capabilities = read_capabilities(raml(SCENARIOS["story"]))

    assert capabilities == Capabilities(described=True, refresh_products=("cucm", "imp"), restart=True, logging_method="PUT")
    assert capabilities.refresh_discovery


def test_removal_is_offered_only_where_its_form_is_known() -> None:
    page = "/certs:\n  /root:\n    get:\n    delete:\n      body:\n        application/json:\n          example: {form}\n"

    assert read_capabilities(page.format(form='{"Fingerprint": ""}')).remove_trusted_ca
    assert not read_capabilities(page.format(form='{"Subject": ""}')).remove_trusted_ca


def test_resources_in_one_line_and_below_other_bases_are_found() -> None:
    page = "/api/v1/provisioning/controller/server/cucm:\n  post:\n/provisioning:\n  /restart:\n    post:\n"

    assert read_capabilities(page) == Capabilities(described=True, refresh_products=("cucm",), restart=True)


@pytest.mark.parametrize("page", ["", "<html>", "\0\0", "/x:\n\t- [", "post:\n  /restart:\n"])
def test_a_page_that_cannot_be_read_offers_nothing(page: str) -> None:
    assert not read_capabilities(page).restart
    assert not read_capabilities(page).remove_trusted_ca


def test_a_method_name_inside_an_example_is_no_operation() -> None:
    page = "/certs:\n  /root:\n    get:\n      example: |\n        /restart:\n          post:\n        delete:\n"

    assert read_capabilities(page) == Capabilities(described=True)
