"""The status of a peer over REST, as its shell would print it; another form is not understood, and never *nothing*."""

from __future__ import annotations

import pytest

from remediate.connectors.expressway.alarm_text import BLOCK_NAMES, parse_alarms
from remediate.connectors.expressway.records import parse_alternates
from remediate.connectors.expressway.shell_text import parse_leaves
from remediate.connectors.expressway.status_text import StatusNotUnderstood, parse_blocks
from remediate.connectors.expressway.status_xml import configuration_lines, getxml_path, status_lines

_ROOT = '<?xml version="1.0"?><Status xmlns="http://www.tandberg.no/XML/CUIL/1.0" product="TANDBERG VCS">{}</Status>'
_ALARM = '<Alarm item="{}"><ID item="1">{}</ID><Title item="1">{}</Title><State item="1">Unacknowledged</State></Alarm>'


def read_alarms(content: str) -> list[tuple[str, str]]:
    blocks = parse_blocks(status_lines(_ROOT.format(content), "Alarm"), *BLOCK_NAMES)
    return [(alarm.id, alarm.title) for alarm in parse_alarms(blocks)]


def test_the_path_names_the_element() -> None:
    assert getxml_path("xStatus", "Alarm") == "/getxml?location=/Status/Alarm"
    assert getxml_path("xConfiguration", "IP DNS") == "/getxml?location=/Configuration/IP/DNS"


@pytest.mark.parametrize("wrapper", ["{}", '<Alarms item="1">{}</Alarms>'], ids=["one by one", "in a list"])
def test_alarms_have_their_numbers_and_titles(wrapper: str) -> None:
    alarms = _ALARM.format(1, "15015", "Maintenance mode") + _ALARM.format(2, "25019", 'Verbose "log" levels')
    assert [number for number, _ in read_alarms(wrapper.format(alarms))] == ["15015", "25019"]


@pytest.mark.parametrize("content", ["<Alarm/>", '<Alarms item="1"/>', '<Alarm item="1"></Alarm>'])
def test_an_empty_list_counts_where_it_is_there(content: str) -> None:
    assert read_alarms(content) == []


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><body>Sign in</body></html>",
        _ROOT.format(""),
        _ROOT.format("<Zones/>"),
        _ROOT.format("<Alarm>none</Alarm>"),
        '<!DOCTYPE x [<!ENTITY a "b">]>' + _ROOT.format("<Alarm>&a;</Alarm>"),
        "<Alarm/>",
        _ROOT.format("<Alarm>" + "<a>" * 50 + "x" + "</a>" * 50 + "</Alarm>"),
    ],
    ids=["nothing", "a page", "empty", "another", "a word", "an entity", "no root", "deep"],
)
def test_another_form_is_not_understood(page: str) -> None:
    with pytest.raises(StatusNotUnderstood):
        status_lines(page, "Alarm")


def test_an_alarm_without_its_number_is_not_understood() -> None:
    with pytest.raises(StatusNotUnderstood):
        read_alarms('<Alarm item="1"><Title item="1">Restart required</Title></Alarm>')


def test_a_configuration_has_the_paths_of_the_shell() -> None:
    page = (
        '<Configuration product="TANDBERG VCS"><Alternates item="1"><ConfigurationPrimary item="1">2</ConfigurationPrimary>'
        '<Peer item="1"><Address item="1">a</Address></Peer><Peer item="2"><Address item="1">b</Address></Peer></Alternates>'
        "</Configuration>"
    )
    alternates = parse_alternates(parse_leaves(configuration_lines(page, "Alternates")))
    assert (alternates.primary_address, alternates.peers) == ("b", ("a", "b"))
    with pytest.raises(StatusNotUnderstood):
        configuration_lines(page, "SystemUnit Maintenance Mode")
