"""How many handshakes a node costs, and what they show."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace

import pytest

from remediate.connectors.tls.probe import list_variants, probe
from remediate.connectors.tls.target import Observation, Target
from remediate.model.expressway import RSA_PREFIX
from remediate.model.identity import Address, CipherList
from tests.connectors.servers import server_identity, tcp_server, tls_context, tls_talk
from tests.connectors.support import QUICK
from tests.pki import Entity

RSA, ECDSA = server_identity(), server_identity(family="ecdsa")
DEFAULT = CipherList("EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL")
PREFIXED = CipherList(RSA_PREFIX + DEFAULT)
PATIENT = replace(QUICK, handshake_s=20)
"""A handshake that is late on a busy machine would be made again, and counted."""
LISTS = pytest.mark.parametrize("lists", [list_variants(DEFAULT), list_variants(PREFIXED), ()])


def count_handshakes(context: ssl.SSLContext, lists: Sequence[CipherList]) -> tuple[Observation, int]:
    """Probe a server; return what was seen, and how many connections it got."""
    connections: list[socket.socket] = []

    def talk(connection: socket.socket) -> None:
        connections.append(connection)
        tls_talk(context)(connection)

    with tcp_server(talk) as port:
        target = Target(Address("node.example.test"), port, "cucm", connect_to="127.0.0.1")
        (observation,) = probe((target,), lists, PATIENT)
        return observation, len(connections)


def server(*identities: Entity, tls13: bool = False, own_order: str = "") -> ssl.SSLContext:
    """Return a server with these certificates; `own_order`: the family that it chooses whatever a client prefers."""
    suites = {family: f"ECDHE-{family.upper()}-AES256-GCM-SHA384" for family in ("rsa", "ecdsa")}
    ciphers = ":".join(sorted(suites.values(), key=lambda suite: suites.get(own_order) != suite)) if own_order else "ALL"
    context = tls_context(*identities, ciphers=f"{ciphers}:@SECLEVEL=0")
    if tls13:
        context.maximum_version = ssl.TLSVersion.TLSv1_3
    if own_order:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


@LISTS
@pytest.mark.parametrize("tls13", [False, True])
def test_two_certificates_in_the_clients_order_take_two(lists: Sequence[CipherList], tls13: bool) -> None:
    observation, count = count_handshakes(server(RSA, ECDSA, tls13=tls13), lists)

    assert observation.presented == {"rsa": (RSA.certificate,), "ecdsa": (ECDSA.certificate,)}
    assert (observation.preferred.client_order, observation.preferred.family) == (True, None)
    assert observation.preferred.measured == {ciphers: "rsa" if ciphers == PREFIXED else "ecdsa" for ciphers in lists}
    assert (observation.tls13, count) == (tls13, 2)


@LISTS
@pytest.mark.parametrize("family", ["rsa", "ecdsa"])
@pytest.mark.parametrize("tls13", [False, True])
def test_two_certificates_in_an_order_of_its_own_take_three(lists: Sequence[CipherList], family: str, tls13: bool) -> None:
    observation, count = count_handshakes(server(RSA, ECDSA, tls13=tls13, own_order=family), lists)

    assert observation.presented == {"rsa": (RSA.certificate,), "ecdsa": (ECDSA.certificate,)}
    assert (observation.preferred.client_order, observation.preferred.family) == (False, family)
    assert set(observation.preferred.measured.values()) <= {family}
    assert observation.tls13 is tls13
    assert count <= 3


@LISTS
@pytest.mark.parametrize("identity", [RSA, ECDSA])
@pytest.mark.parametrize("tls13", [False, True])
def test_one_certificate_takes_three_at_most(lists: Sequence[CipherList], identity: Entity, tls13: bool) -> None:
    observation, count = count_handshakes(server(identity, tls13=tls13), lists)

    assert list(observation.presented.values()) == [(identity.certificate,)]
    assert (observation.preferred.client_order, dict(observation.preferred.measured)) == (None, {})
    assert observation.tls13 is tls13
    assert count <= 3


def test_the_list_of_another_peer_takes_one_more_each() -> None:
    shorter = CipherList("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256")
    lists = (*list_variants(DEFAULT), *list_variants(shorter))

    observation, count = count_handshakes(server(RSA, ECDSA), lists)

    assert observation.preferred.measured == {DEFAULT: "ecdsa", PREFIXED: "rsa", shorter: "rsa", RSA_PREFIX + shorter: "rsa"}
    assert count == 4


def test_a_node_without_the_prefix_suite_is_measured_as_it_is() -> None:
    # Given a node that follows the client's order, and lacks the one suite that the variant puts in front
    ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    context = tls_context(RSA, ECDSA, ciphers=ciphers)

    observation, count = count_handshakes(context, list_variants(DEFAULT))

    # Then both lists get its ECDSA certificate, and whose order that is stays open
    assert observation.presented == {"rsa": (RSA.certificate,), "ecdsa": (ECDSA.certificate,)}
    assert observation.preferred.measured == {DEFAULT: "ecdsa", PREFIXED: "ecdsa"}
    assert (observation.preferred.client_order, count) == (None, 3)


def test_a_list_that_shares_nothing_hides_no_certificate() -> None:
    context = tls_context(RSA, ECDSA, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    narrow = CipherList("ECDHE-RSA-AES256-GCM-SHA384")

    observation, _ = count_handshakes(context, (narrow,))

    assert set(observation.presented) == {"rsa", "ecdsa"}
    assert observation.preferred.measured == {}
