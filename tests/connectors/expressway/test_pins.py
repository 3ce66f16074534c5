"""The certificate and the host keys that a peer presents, with no login."""

from __future__ import annotations

from dataclasses import replace

import pytest

from remediate.connectors.expressway.pins import read_pins
from remediate.lab import Lab
from remediate.model.access import ClusterAccess, HostKeyTrust, TlsTrust
from remediate.model.errors import ObservationError
from remediate.model.identity import Fingerprint
from tests.connectors.servers import tcp_server
from tests.connectors.support import QUICK


def test_pins_are_read_whatever_is_pinned_and_without_a_login(lab: Lab, cluster: ClusterAccess) -> None:
    # Given an inventory whose pins are others
    access = cluster.peers[0]
    stale = replace(access, tls=TlsTrust(fingerprint=Fingerprint("sha256:" + "0" * 64)), ssh=HostKeyTrust("SHA256:" + "A" * 43))

    pins = read_pins(stale, QUICK)

    assert pins.certificate.fingerprint == access.tls.fingerprint
    assert access.ssh.host_key in pins.host_keys
    assert not lab.requests


def test_a_port_without_tls_is_not_observed(cluster: ClusterAccess) -> None:
    with tcp_server(lambda connection: connection.sendall(b"220 ftp\r\n")) as port:
        access = replace(cluster.peers[0], address=type(cluster.peers[0].address)("127.0.0.1"), rest_port=port)
        with pytest.raises(ObservationError, match=r"The web interface on 127\.0\.0\.1:"):
            read_pins(access, QUICK)
