"""The web certificate and the SSH host keys that a peer presents now. Nothing is logged in to, and nothing is recognised by them."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.connectors.exchange import Deadline, read_certificate
from remediate.connectors.expressway.ssh import read_host_keys
from remediate.connectors.text import describe_failure
from remediate.model.access import PeerAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError, ObservationError
from remediate.model.identity import host_and_port
from remediate.model.limits import Limits


@dataclass(frozen=True, slots=True)
class PresentedPins:
    """What one peer presents.

    Attributes:
        host_keys: One fingerprint for each type of key, the type that SSH prefers first.
    """

    certificate: Certificate
    host_keys: tuple[str, ...]


def read_pins(access: PeerAccess, limits: Limits) -> PresentedPins:
    """Return what a peer presents now; no password is sent.

    Raises:
        ObservationError: It cannot be reached, or does not speak TLS and SSH there.
    """
    return PresentedPins(_read_certificate(access, limits), read_host_keys(access, limits))


def _read_certificate(access: PeerAccess, limits: Limits) -> Certificate:
    where = host_and_port(access.address, access.rest_port)
    try:
        return Certificate.from_der(read_certificate(access.address, access.rest_port, Deadline.after(limits.connect_s)))
    except (OSError, ValueError) as error:
        raise ObservationError(f"The web interface on {where} cannot be reached: {describe_failure(error)}.") from error
    except CertificateError as error:
        raise ObservationError(f"The web interface on {where} presents a certificate that cannot be read.") from error
