"""Pins that each peer presents now, as YAML to paste into an inventory, beside those of the inventory (`doctor --pins`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remediate.model.exit_codes import ExitCode, most_serious
from remediate.model.expressway import SERVER_CERTIFICATE_PAGE
from remediate.model.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from remediate.connectors.expressway.pins import PresentedPins
    from remediate.model.access import ClusterAccess, PeerAccess
    from remediate.model.limits import Limits

WHERE_TO_COMPARE = (
    f"On the peer itself: the certificate at {SERVER_CERTIFICATE_PAGE}, shown as PEM "
    "(`openssl x509 -in FILE -noout -fingerprint -sha256`); the host key on its console."
)
_COMPARED = {
    "same": "as in the inventory",
    "changed": "NOT the one in the inventory",
    "not-pinned": "not pinned in the inventory",
}


@dataclass(frozen=True, slots=True)
class PeerPins:
    """One peer of the inventory, and what it presents.

    Attributes:
        error: Why that is not known; empty where it is.
    """

    access: PeerAccess
    presented: PresentedPins | None
    error: str = ""

    @property
    def tls_state(self) -> str:
        """Compare the certificate with the pin of the inventory: ``same``, ``changed`` or ``not-pinned``."""
        pin = self.access.tls.fingerprint
        if pin is None or self.presented is None:
            return "not-pinned"
        return "same" if pin == self.presented.certificate.fingerprint else "changed"

    @property
    def ssh_state(self) -> str:
        """Compare the host keys with the pin of the inventory, likewise."""
        pin = self.access.ssh.host_key
        if pin is None or self.presented is None:
            return "not-pinned"
        return "same" if pin in self.presented.host_keys else "changed"

    @property
    def exit_code(self) -> ExitCode:
        """The code that follows: a pin that no longer fits is an error of the inventory."""
        if self.presented is None:
            return ExitCode.INCOMPLETE
        return ExitCode.ERROR if "changed" in {self.tls_state, self.ssh_state} else ExitCode.DONE

    def host_key(self) -> str:
        """Return the host key to pin: the pinned one where it is presented, else that of the preferred type."""
        keys = self.presented.host_keys if self.presented else ()
        pin = self.access.ssh.host_key
        return pin if pin in keys and pin else next(iter(keys), "")


def read_cluster_pins(cluster: ClusterAccess, limits: Limits) -> tuple[tuple[PeerPins, ...], ExitCode]:
    """Return what each peer of the inventory presents, and the exit code. No password is read or sent."""
    from remediate.connectors.expressway.pins import read_pins
    from remediate.model.errors import ObservationError

    pins: list[PeerPins] = []
    for access in cluster.peers:
        try:
            pins.append(PeerPins(access, read_pins(access, limits)))
        except ObservationError as error:
            pins.append(PeerPins(access, None, str(error)))
    return tuple(pins), most_serious(peer.exit_code for peer in pins)


def pins_json(pins: Sequence[PeerPins]) -> dict[str, Any]:
    """Return the JSON of one cluster."""
    return {"pins": [_peer_json(peer) for peer in pins]}


def _peer_json(peer: PeerPins) -> dict[str, Any]:
    document: dict[str, Any] = {"address": peer.access.address, "error": peer.error or None}
    if peer.presented is None:
        return document
    certificate = peer.presented.certificate
    return document | {
        "tls": {
            "fingerprint": certificate.fingerprint,
            "state": peer.tls_state,
            "subject": certificate.subject,
            "issuer": certificate.issuer,
        },
        "ssh": {"host_key": peer.host_key(), "state": peer.ssh_state, "host_keys": list(peer.presented.host_keys)},
    }


def pins_yaml(pins: Sequence[PeerPins]) -> Iterator[str]:
    """Yield the lines to paste under ``expressway:``, with what each is in comments."""
    yield "      peers:"
    for peer in pins:
        yield f"        - address: {peer.access.address}"
        if peer.presented is None:
            yield f"          # {escape(peer.error)}"
            continue
        certificate = peer.presented.certificate
        until = f", until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else ""
        if peer.access.rest_port != 443:
            yield f"          rest_port: {peer.access.rest_port}"
        if peer.access.ssh_port != 22:
            yield f"          ssh_port: {peer.access.ssh_port}"
        yield f"          # {_COMPARED[peer.tls_state]}: {escape(certificate.subject)}{until}"
        yield f"          # issuer {escape(certificate.issuer)}"
        yield f'          tls: {{fingerprint: "{certificate.fingerprint}"}}'
        yield f"          # {_COMPARED[peer.ssh_state]}"
        yield f'          ssh: {{host_key: "{peer.host_key()}"}}'
