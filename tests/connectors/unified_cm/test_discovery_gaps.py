"""Discovery that could not ask, and what a source may not name: said, typed, and never taken for "there are no more"."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from remediate.connectors.addresses import check_discovered_name, classify_address
from remediate.connectors.expressway.records import PublisherRecord
from remediate.connectors.tls.event_loop import run_alone
from remediate.connectors.tls.handshake import FailureReason, HandshakeFailure, Offer
from remediate.connectors.tls.target import Target, try_offer
from remediate.connectors.unified_cm.axl import MAX_FAULT_CHARACTERS
from remediate.connectors.unified_cm.discovery import DiscoveryResult, discover
from remediate.connectors.unified_cm.xml_document import read_records
from remediate.model.access import ClusterAccess, NodeAccess, PeerAccess
from remediate.model.errors import ObservationError
from remediate.model.identity import Address
from remediate.model.secret import Login
from remediate.model.snapshot import DiscoveryGap
from tests.connectors.servers import LONG, http, https_answering, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK, FixedSecret
from tests.pki import issue
from tests.timing import assert_grows_in_proportion

NODE = Address("cucm1.example.test")
CA = issue("Gap Root", ca=True, lasts=LONG)
LOGIN_PAGE = "<!DOCTYPE html><html><body><form action='/login'>Username Password</form></body></html>"
RECORD = PublisherRecord(NODE, "cucm", "axl", "On")


def uds(*names: str) -> str:
    return f"<servers>{''.join(f'<server>{name}</server>' for name in names)}</servers>"


def axl(*names: str) -> str:
    rows = "".join(
        f"<processNode><name>{name}</name><processNodeRole>CUCM Voice/Video</processNodeRole></processNode>" for name in names
    )
    return _envelope(f"<ns:listProcessNodeResponse xmlns:ns='x'><return>{rows}</return></ns:listProcessNodeResponse>")


def fault(text: str) -> str:
    return _envelope(f"<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>{text}</faultstring></soapenv:Fault>")


def _envelope(body: str) -> str:
    start = "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/'><soapenv:Body>"
    return f"{start}{body}</soapenv:Body></soapenv:Envelope>"


@dataclass
class Publisher:
    """A Unified CM publisher on a loopback address of its own, and what it was asked."""

    stack: ExitStack
    uds: bytes = field(default_factory=lambda: http(200, uds(NODE)))
    axl: Callable[[bytes], bytes] = lambda _request: http(200, axl(NODE))
    requests: list[bytes] = field(default_factory=list)

    def cluster(self) -> ClusterAccess:
        """Start it, and return a cluster whose inventory has it."""
        host = f"127.{random.randrange(140, 200)}.{random.randrange(256)}.{random.randrange(2, 250)}"  # noqa: S311
        talk = https_answering(tls_context(server_identity(NODE, issuer=CA)), self._answer)
        self.stack.enter_context(tcp_server(talk, host, 8443))
        return ClusterAccess(
            "edge",
            Login("admin", FixedSecret("x")),
            (PeerAccess(Address("expc1.example.test")),),
            axl=Login("axl", FixedSecret("axl-secret")),
            nodes=(NodeAccess(NODE, "cucm", connect_to=host, ports=(8443,)),),
        )

    def _answer(self, request: bytes) -> bytes:
        self.requests.append(request)
        return self.axl(request) if request.startswith(b"POST /axl/") else self.uds


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with ExitStack() as stack:
        yield Publisher(stack)


def look(cluster: ClusterAccess) -> tuple[DiscoveryResult, list[DiscoveryGap]]:
    gaps: list[DiscoveryGap] = []
    return discover(cluster, [RECORD], (CA.certificate,), QUICK, gaps.append), gaps


def test_a_publisher_that_answers_leaves_no_gap(publisher: Publisher) -> None:
    publisher.uds = http(200, uds(NODE, "sub1.example.test"))

    discovered, gaps = look(publisher.cluster())

    assert gaps == []
    assert {target.address for target in discovered.targets} == {NODE, "sub1.example.test"}


@pytest.mark.parametrize(
    "answer",
    [
        http(401),
        http(403, "no"),
        http(404),
        http(503, "busy"),
        http(302, "", "Location: https://elsewhere.example.test/login"),
        http(200),
        http(200, LOGIN_PAGE),
        http(200, "<html><body>Sign in</body></html>"),
        http(200, uds(NODE)[:-4]),
        http(200, uds()),
        http(200, "<errors><server>x.example.test</server></errors>"),
        http(200, "<?xml version='1.0' encoding='utf-7'?><servers/>"),
        http(200, "<?xml version='1.0' encoding='shift_jis'?><servers/>"),
        http(200, "<?xml version='1.0' encoding='no-such'?><servers/>"),
        http(200, "<a>" * 5000 + "</a>" * 5000),
        http(200, "{}"),
    ],
)
def test_uds_that_gives_no_list_makes_it_incomplete(publisher: Publisher, answer: bytes) -> None:
    publisher.uds = answer

    _, gaps = look(publisher.cluster())

    assert [(gap.source, gap.service, gap.kind, gap.incomplete) for gap in gaps] == [(NODE, "uds", "not-asked", True)]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (http(200, fault("Not today: the database is being switched.")), "Not today: the database is being switched."),
        (http(500, fault("A &lt;b&gt; of it.")), "A <b> of it."),
        (http(503, "Maximum AXL rate exceeded"), "HTTP 503: “Maximum AXL rate exceeded”"),
        (http(200, LOGIN_PAGE), "login page"),
        (http(302), "a redirect (HTTP 302) without a target, which is not followed"),
        (http(302, "", "Location: https://sso.example.test/?session=1"), "a redirect (HTTP 302) to sso.example.test, which"),
        (http(200), "not XML: an empty body"),
        (http(200, "<a><b>"), "not XML: elements without words"),
        (http(200, axl()), "not a list of servers: elements without words"),
        (http(200, axl(NODE).replace("listProcessNodeResponse", "getUserResponse")), "not a list of servers"),
        (http(200, axl(NODE)[:-9]), "not XML"),
        (http(404), "HTTP 404"),
    ],
)
def test_axl_that_gives_no_list_makes_it_incomplete(publisher: Publisher, answer: bytes, words: str) -> None:
    publisher.axl = lambda _request: answer

    _, gaps = look(publisher.cluster())

    assert [(gap.source, gap.service, gap.kind, gap.incomplete) for gap in gaps] == [(NODE, "axl", "not-asked", True)]
    assert words in gaps[0].message
    assert "axl-secret" not in gaps[0].message


def test_the_words_of_a_fault_are_shown_whole_and_bounded(publisher: Publisher) -> None:
    words = " ".join(f"reason{number}" for number in range(80))
    publisher.axl = lambda _request: http(500, fault(words))
    _, [whole] = look(publisher.cluster())
    publisher.axl = lambda _request: http(500, fault("x" * 500_000))
    _, [long] = look(publisher.cluster())

    assert whole.message.endswith(f"“{words}”")
    assert len(long.message) < MAX_FAULT_CHARACTERS + 200


@pytest.mark.parametrize(
    ("status", "text", "version"),
    [
        (599, "The specified AXL version is not supported. Supported versions are 10.0, 10.5, 11.0, 11.5", "11.5"),
        (500, "Incorrect axl version. Supported axl versions: 11.5,14,15.", "15.0"),
        (200, "AXL version 12.5 is not supported here; 8.0 is.", "8.0"),
        (599, "Supported versions: 14.0, 16.0, 99.9", "14.0"),
    ],
)
def test_axl_is_asked_again_in_a_version_that_it_names(publisher: Publisher, status: int, text: str, version: str) -> None:
    def answer(request: bytes) -> bytes:
        right = f"http://www.cisco.com/AXL/API/{version}".encode() in request and f"CUCM:DB ver={version} ".encode() in request
        return http(200, axl(NODE, "sub9.example.test")) if right else http(status, fault(text))

    publisher.axl = answer

    discovered, gaps = look(publisher.cluster())

    assert "sub9.example.test" in {target.address for target in discovered.targets}
    assert [(gap.kind, gap.incomplete) for gap in gaps] == [("other-version", False)]
    assert text in gaps[0].message


def test_no_supported_axl_version_is_a_gap_after_one_request(publisher: Publisher) -> None:
    text = "The specified AXL version is not supported. Supported versions are 1.0, 6.1 and 99.0"
    publisher.axl = lambda _request: http(599, fault(text))

    _, [gap] = look(publisher.cluster())

    assert (gap.incomplete, gap.message.endswith(f"“{text}”")) == (True, True)
    assert sum(request.startswith(b"POST /axl/") for request in publisher.requests) == 1


def test_an_unverified_node_is_not_asked_over_axl(publisher: Publisher) -> None:
    """Its own web port is refused by every peer: no command calls it healthy, and the plan that mends it can be applied."""
    cluster = publisher.cluster()
    gaps: list[DiscoveryGap] = []

    discover(cluster, [RECORD], (), QUICK, gaps.append)
    other_port = replace(cluster, nodes=(replace(cluster.nodes[0], ports=(6972,)),))
    discover(other_port, [RECORD], (), QUICK, gaps.append)

    assert [(gap.service, gap.kind, gap.incomplete) for gap in gaps] == [
        ("axl", "unverified", False),
        ("axl", "unverified", True),
    ]
    assert not any(b"uthorization" in request for request in publisher.requests)


def test_with_the_inventory_as_whole_list_no_system_is_asked(publisher: Publisher) -> None:
    publisher.uds = http(500)
    cluster = replace(publisher.cluster(), discovery="inventory")

    discovered, gaps = look(cluster)

    assert [(target.address, target.port, target.learned_from) for target in discovered.targets] == [
        (NODE, 8443, ("inventory",))
    ]
    assert (gaps, publisher.requests) == ([], [])


def test_a_hundred_thousand_names_are_over_in_seconds(publisher: Publisher) -> None:
    names = [f"n{number}.example.test" for number in range(100_000)]
    publisher.uds = http(200, uds(NODE, *names))
    cluster, began = publisher.cluster(), time.process_time()

    discovered, gaps = look(cluster)

    assert time.process_time() - began < 10
    assert len({target.address for target in discovered.targets}) == QUICK.max_nodes_without_login
    assert [(gap.kind, gap.incomplete, gap.count) for gap in gaps] == [
        ("over-limit", False, 100_001 - QUICK.max_nodes_without_login)
    ]


def test_too_many_names_over_axl_are_incomplete(publisher: Publisher) -> None:
    publisher.axl = lambda _request: http(200, axl(NODE, *(f"n{number}.example.test" for number in range(300))))

    _, gaps = look(publisher.cluster())

    assert [(gap.service, gap.kind, gap.incomplete) for gap in gaps] == [("axl", "over-limit", True)]


SPECIAL = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "localhost",
    "a.localhost.",
    "0.0.0.0",  # noqa: S104  it is refused
    "::",
    "::1",
    "::ffff:127.0.0.1",
]
SPECIAL += ["169.254.169.254", "fe80::1", "fe80::1%lo", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"]
SPECIAL += ["a" * 64 + ".test", ".".join(["abcdefg"] * 33), "$(reboot)", "https://a.test"]


def test_addresses_that_only_the_inventory_may_name_are_refused(publisher: Publisher) -> None:
    publisher.uds = http(200, uds(NODE, *SPECIAL))
    publisher.axl = lambda _request: http(200, axl(NODE, "169.254.169.254"))

    discovered, gaps = look(publisher.cluster())

    assert {target.address for target in discovered.targets} == {NODE}
    assert sum(gap.count for gap in gaps if gap.service == "uds") == len(SPECIAL)
    assert {(gap.service, gap.kind, gap.incomplete) for gap in gaps} == {
        ("uds", "name-refused", False),
        ("axl", "name-refused", True),
    }
    assert any("127.0.0.1" in gap.names and "127.0.0.1" in gap.message for gap in gaps)


def test_what_the_inventory_names_may_be_named_by_others_too(publisher: Publisher) -> None:
    cluster = publisher.cluster()
    host = str(cluster.nodes[0].connect_to)
    publisher.uds = http(200, uds(NODE, host))

    discovered, gaps = look(cluster)

    assert gaps == []
    assert {target.address for target in discovered.targets} == {NODE, host}


@pytest.mark.parametrize("name", ["a.example.test", "10.48.36.215", "2001:db8::1", "cucm_1", "3com.example.test"])
def test_usual_names_pass(name: str) -> None:
    assert (classify_address(name), check_discovered_name(f" {name}\n", ())) == (None, (name, None))


def test_a_name_that_leads_to_this_machine_is_not_connected_to() -> None:
    """`localhost` stands for any name that somebody's DNS lets lead here."""
    connected = threading.Event()

    def talk(_connection: socket.socket) -> None:
        connected.set()

    with tcp_server(talk) as port:
        target = Target(Address("x.example.test"), port, "cucm", "localhost", guarded=True)
        refused = run_alone(try_offer(target, Offer("aRSA"), QUICK), QUICK)
        assert isinstance(refused, HandshakeFailure)
        assert (refused.reason, connected.is_set()) == (FailureReason.SPECIAL_ADDRESS, False)
        run_alone(try_offer(replace(target, guarded=False), Offer("aRSA"), QUICK), QUICK)
        assert connected.wait(5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "ascii"])
def test_the_usual_encodings_are_read(encoding: str) -> None:
    declared = {"latin-1": "iso-8859-1", "ascii": "us-ascii", "utf-8-sig": "UTF-8"}.get(encoding, encoding.upper())
    text = f'<?xml version="1.0" encoding="{declared}"?>{uds("a.example.test")}'

    assert read_records(text.encode(encoding), "It", "server", limit=5).records == ({"": "a.example.test"},)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_document_type_is_refused_in_every_encoding(encoding: str) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "b">]><servers><server>&a;</server></servers>'

    with pytest.raises(ObservationError, match="document type"):
        read_records(text.encode(encoding), "It", "server", limit=5)


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\x00\xd8",
        b"<?xml version='1.0' encoding='us-ascii'?><servers>\xe9</servers>",
        b"<servers>\xff</servers>",
        b"<servers>\x00</servers>",
        b"<servers>&nbsp;</servers>",
        b"\x00" * 100,
        b"<",
    ],
)
def test_bytes_that_are_no_xml_are_an_observation_error(body: bytes) -> None:
    with pytest.raises(ObservationError, match=r"^It answers with"):
        read_records(body, "It", "server", limit=5)


@pytest.mark.parametrize(
    "piece", ["<server>a</server>", "<server>", "<", "<a/>", "<a b='", "&", "<!--", "<![CDATA[", " ", "<server>" + "x" * 50]
)
def test_reading_xml_takes_time_in_proportion(piece: str) -> None:
    def read(times: int) -> None:
        body = b"<servers>" + piece.encode() * times
        for _ in range(3):
            with pytest.raises(ObservationError):
                read_records(body, "It", "server", limit=5)

    assert_grows_in_proportion(read, 40_000)
