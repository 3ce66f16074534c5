"""Pseudonyms: what names or gives away something is replaced, by the same word everywhere, and the form stays."""

from __future__ import annotations

import time

import pytest

from remediate.connectors.pseudonyms import Pseudonyms
from tests.pki import issue

CERTIFICATE = issue("secret-name.corp.com").certificate.pem


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ('  Address: "10.1.2.3"', '  Address: "192.0.2.1"'),
        ('  Address: "fd00:10::7"', '  Address: "2001:db8::1"'),
        ('"Publisher":"cucm.corp.com"', '"Publisher":"host-1.example.test"'),
        ("https://expe1:8443/x", "https://host-1.example.test:8443/x"),
        ('*c xConfiguration SystemUnit Name: "Paris 1"', '*c xConfiguration SystemUnit Name: "name-1"'),
        ('{"AxlUsername": "jdoe", "AxlPassword": "hunter2"}', '{"AxlUsername": "user-1", "AxlPassword": "***"}'),
        ('*c xConfiguration SNMP CommunityName: "public-x"', '*c xConfiguration SNMP CommunityName: "***"'),
        ('    SerialNumber: "0A1B2C3D"', '    SerialNumber: "***"'),
        ('Password: "{cipher}aGVsbG8="', 'Password: "***"'),
        ("<Name item='1'>expc1</Name>", "<Name item='1'>name-1</Name>"),
        ("# CN=Corp Root,O=Corp\n", "name-1\n"),
        (CERTIFICATE, "-----BEGIN CERTIFICATE-----\ncertificate-1\n-----END CERTIFICATE-----\n"),
    ],
)
def test_what_names_something_is_replaced(text: str, replaced: str) -> None:
    assert Pseudonyms().replace(text) == replaced


@pytest.mark.parametrize(
    "text",
    [
        '    Version: "X14.2.1"',
        '*c xConfiguration Ethernet 1 IP V4 SubnetMask: "255.255.255.0"',
        '*c xConfiguration Ciphers ReverseProxyTLSCiphers Value: "ECDHE-RSA-AES256-GCM-SHA384:EECDH:!aNULL"',
        '*c xConfiguration Ciphers sshd_ciphers Value: "aes256-gcm@openssh.com,aes256-ctr"',
        '*c xConfiguration Alternates Cluster Name: ""',
        '<Status xmlns="http://www.tandberg.no/XML/CUIL/1.0" product="TANDBERG VCS" version="X14.2.1">',
        "      /root:\n        get:\n          description: The trusted CA certificates of this peer.\n",
        '  SystemTime: "2026-08-05 03:12:41"',
        "*s/end",
    ],
)
def test_the_form_of_an_answer_stays(text: str) -> None:
    assert Pseudonyms().replace(text) == text


def test_one_word_has_one_pseudonym_in_every_answer() -> None:
    pseudonyms = Pseudonyms()
    first = pseudonyms.replace('  Name: "cucm.corp.com"\n  Address: "10.1.2.3"')
    second = pseudonyms.replace('"Publisher":"CUCM.corp.com","Other":"10.1.2.3","Third":"10.1.2.4"')
    assert first == '  Name: "host-1.example.test"\n  Address: "192.0.2.1"'
    assert second == '"Publisher":"host-1.example.test","Other":"192.0.2.1","Third":"192.0.2.2"'


def test_a_name_that_is_learned_later_is_replaced_everywhere() -> None:
    pseudonyms = Pseudonyms()
    early = pseudonyms.replace("the alarm of expc1 and of Cluster 1")
    pseudonyms.replace('"PeerAddress":"expc1.corp.com","Other":"cluster.corp.com"')
    assert pseudonyms.replace_known(early) == "the alarm of host-1 and of Cluster 1"


@pytest.mark.parametrize(
    "text", ["-----BEGIN A-----\n" * 50_000, "a." * 200_000, "1." * 200_000, "Key " * 100_000, "::" * 100_000, "=" * 300_000]
)
def test_a_hostile_text_takes_time_in_proportion(text: str) -> None:
    started_at = time.process_time()
    Pseudonyms().replace(text)
    assert time.process_time() - started_at < 5
