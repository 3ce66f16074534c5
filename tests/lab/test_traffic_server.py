"""Our verdict and a real Apache Traffic Server's, on every chain and list of a grid: no disagreement on anything it reports.

The grid is the table of what was measured on a traffic server (docs/verdict.md): a node for each kind of chain, a restart of the
server for each list. (Not among them: the empty list. Without a single certificate the server opens no connection at all, and says
nothing.) Debian's traffic server is built on OpenSSL 3.0; nothing in the grid depends on that.
"""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from remediate import Cause, verify_chain
from remediate.lab.addresses import Subnet
from remediate.lab.names import NameServer
from remediate.lab.traffic_server import TrafficServer
from remediate.lab.verdict import Settings, Target
from tests.pki import NOW, YEAR, Entity, issue
from tests.properties.clusters import DEFAULT_CIPHERS

PORT = 8443
TODAY = datetime.now(UTC) - NOW  # the traffic server judges by the clock
_REASON = re.compile(r"Error=(.*?) server=.* depth=(\d+)")

pytestmark = pytest.mark.lab


def issue_today(common_name: str, issuer: Entity | None = None, **more: object) -> Entity:
    return issue(common_name, issuer, **({"starts": TODAY - YEAR} | more))  # type: ignore[arg-type] # passed on as given


ROOT = issue_today("Root", ca=True)
OTHER = issue_today("Other root", ca=True)
ISSUING = issue_today("Issuing", ROOT, ca=True)
STALE = issue_today("Issuing", ROOT, ca=True, starts=TODAY - 3 * YEAR, lasts=YEAR)
CROSS = issue_today("Root", OTHER, ca=True)
TWIN = issue_today("Root", ca=True, key_name="another root key")
NOT_A_CA = issue_today("Not a CA", ROOT)


@dataclass(frozen=True)
class Node:
    """What one node presents; its certificate carries its address unless `wrong_name`."""

    issuer: Entity | None
    above: tuple[Entity, ...] = ()
    wrong_name: bool = False
    lasts: timedelta = 2 * YEAR


NODES = {
    "self-signed": Node(None),
    "leaf-alone": Node(ISSUING),
    "with-issuing": Node(ISSUING, (ISSUING,)),
    "with-root": Node(ISSUING, (ISSUING, ROOT)),
    "wrong-order": Node(ISSUING, (ROOT, ISSUING)),
    "with-stale": Node(ISSUING, (STALE,)),
    "unrelated-too": Node(ISSUING, (OTHER, ISSUING)),
    "cross-signed": Node(ISSUING, (ISSUING, CROSS)),
    "from-root": Node(ROOT),
    "wrong-name": Node(ROOT, wrong_name=True),
    "expired": Node(ROOT, lasts=YEAR - timedelta(days=1)),
    "no-ca": Node(NOT_A_CA, (NOT_A_CA,)),
}


def presented(name: str) -> list[Entity]:
    """Return the chain that the node `name` presents."""
    node = NODES[name]
    address = f"{name}.lab.test"
    leaf = issue_today(
        f"cn of {name}", node.issuer, names=("other.lab.test" if node.wrong_name else address,), lasts=node.lasts
    )
    return [leaf, *node.above]


CHAINS = {f"{name}.lab.test": presented(name) for name in NODES}
LISTS = {
    "root": [ROOT],
    "issuing only": [ISSUING],
    "root and issuing": [ROOT, ISSUING],
    "root and stale": [ROOT, STALE],
    "other root": [OTHER],
    "twin first": [TWIN, ROOT],
    "twin last": [ROOT, TWIN],
    "the self-signed one": [CHAINS["self-signed.lab.test"][0]],
    "a leaf": [CHAINS["from-root.lab.test"][0]],
}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrafficServer]:
    """Yield a traffic server with all the nodes behind it."""
    program = shutil.which("traffic_server")
    assert program, "the traffic server is not installed: scripts/install-judge.sh"
    folder, subnet = tmp_path_factory.mktemp("grid"), Subnet()
    targets = [Target(address, PORT, subnet.address(20)) for address in CHAINS]
    nodes, names = _serve(subnet.address(20), folder), NameServer(subnet.address(2), targets)
    server = TrafficServer(program, folder / "judge", subnet.address(11), targets, names.address)
    yield server
    server.stop()
    names.stop()
    nodes.close()
    subnet.release()


def _serve(address: str, folder: Path) -> socket.socket:
    """All nodes on one address: the server name in the hello says which chain is presented."""
    contexts = {name: _context(name, chain, folder) for name, chain in CHAINS.items()}
    first = next(iter(contexts.values()))

    def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = contexts[name or ""]

    first.sni_callback = choose
    listening = socket.create_server((address, PORT), backlog=64)
    threading.Thread(target=_accept, args=(listening, first), daemon=True).start()
    return listening


def _context(name: str, chain: list[Entity], folder: Path) -> ssl.SSLContext:
    file = folder / f"{name}.pem"
    private = chain[0].private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    file.write_text(private + "".join(certificate.certificate.pem for certificate in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def _accept(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(plain, context), daemon=True).start()


def _answer(plain: socket.socket, context: ssl.SSLContext) -> None:
    try:
        with context.wrap_socket(plain, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    except OSError:
        plain.close()


@pytest.mark.parametrize("listed", LISTS)
def test_the_traffic_server_says_the_same(judge: TrafficServer, listed: str) -> None:
    trusted = tuple(entity.certificate for entity in LISTS[listed])
    settings = Settings(trusted, DEFAULT_CIPHERS, enforced=True, tls13=False)
    disagreements = []
    for address, chain in CHAINS.items():
        answer = judge.ask(settings, Target(address, PORT, ""))
        verdict = verify_chain([certificate.certificate for certificate in chain], trusted, address, datetime.now(UTC))
        reason = _REASON.search(answer.log_line or "")
        reported = (_spelled(reason[1]), int(reason[2])) if reason else None
        expected = None if verdict.code == 0 else (_spelled(str(verdict.error)), verdict.depth)
        about_the_name = "SNI" in (answer.log_line or "")
        same_name = about_the_name == (verdict.cause is Cause.NAME_MISMATCH)
        if (answer.status == 200) != verdict.ok or reported != expected or not same_name:
            disagreements.append((address, answer, verdict))
    assert disagreements == []


def _spelled(error: str) -> str:
    """One spelling for the texts that 1.1.1 and 3.x write differently."""
    return error.replace("self signed", "self-signed").replace(
        "unsupported certificate purpose", "unsuitable certificate purpose"
    )
