"""The page on which a simulated peer describes its REST interface."""

from __future__ import annotations

import pytest
import yaml

from remediate.lab.raml import raml
from remediate.lab.scenario import PageStyle, Removal
from remediate.lab.scenarios import SCENARIOS

STORY = SCENARIOS["story"]


def root_of(page: str) -> dict[str, object]:
    operations = yaml.safe_load(page)["/provisioning"]["/certs"]["/root"]
    assert isinstance(operations, dict)
    return operations


@pytest.mark.parametrize("style", [PageStyle.BLOCK, PageStyle.FLOW])
def test_a_removal_is_described_where_it_is_offered(style: PageStyle) -> None:
    assert "delete" not in root_of(raml(STORY, style, Removal.NONE))
    assert "delete" in root_of(raml(STORY, style, Removal.FINGERPRINT))


def test_two_styles_describe_the_same() -> None:
    block, flow = (yaml.safe_load(raml(STORY, style, Removal.SHA1)) for style in (PageStyle.BLOCK, PageStyle.FLOW))
    assert block == flow


def test_a_broken_page_is_no_yaml() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml.safe_load(raml(STORY, PageStyle.BROKEN))


def test_logging_is_described_where_it_is_offered() -> None:
    assert ["/diagnosticlogging" in raml(STORY, offers_logging=offers) for offers in (True, False)] == [True, False]
