"""The certificates of one node, as its platform shell shows them: what REST shows from Unified CM 14 on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from remediate.connectors.unified_cm import platform_text
from remediate.connectors.unified_cm.node import NodeCertificates
from remediate.connectors.unified_cm.platform_shell import PlatformShell
from remediate.connectors.unified_cm.platform_text import CertificateFile
from remediate.model.certificate import Certificate
from remediate.model.errors import ObservationError


def read_over_shell(shell: PlatformShell, stores: Collection[str], candidates: Sequence[Certificate]) -> NodeCertificates:
    """Return what the node owns, and what the services named in `stores` trust.

    A certificate of which only the fields are printed is recognised among `candidates`, and is in `trust` alone: fields vouch for
    nothing.
    A store that holds one which may share its name with one of `candidates`, and is none of them, is left out: it was not read.

    Raises:
        ObservationError: The shell does not answer, or lists nothing of its own.
    """
    own_files = shell.list_files("own")
    if not own_files:
        raise ObservationError("The platform shell lists no certificate of the node's own.")
    identities = _read_own(shell, own_files)
    trust: dict[str, tuple[Certificate, ...]] = {}
    printed: dict[Certificate, None] = dict.fromkeys(identities.values())
    files = [file for file in shell.list_files("trust") if file.unit != file.service]
    for store in stores:
        trusted = read_store(shell, [file for file in files if file.service == store], candidates)
        if trusted is not None:
            trust[store] = tuple(trusted)
            printed.update(dict.fromkeys(certificate for certificate, is_printed in trusted.items() if is_printed))
    own = tuple((unit.removesuffix("-ECDSA"), certificate) for unit, certificate in identities.items())
    return NodeCertificates(tuple(printed), own, identities, trust, by="shell")


def read_store(
    shell: PlatformShell, files: Iterable[CertificateFile], candidates: Sequence[Certificate]
) -> dict[Certificate, bool] | None:
    """Return the certificates of one trust store, each with whether its PEM block was printed; None where one is not known."""
    trusted: dict[Certificate, bool] = {}
    for file in files:
        text = shell.show("trust", file)
        certificate = platform_text.parse_certificate(text)
        if certificate is not None:
            trusted[certificate] = True
        elif match := platform_text.match_fields(text, candidates):
            trusted.setdefault(match, False)
        elif platform_text.may_name(text, candidates):
            return None
    return trusted


def find_file(shell: PlatformShell, store: str, certificate: Certificate) -> CertificateFile | None:
    """Return the file of a trust store that holds `certificate`; None where none does."""
    for file in shell.list_files("trust"):
        if file.service == store and file.unit != file.service:
            text = shell.show("trust", file)
            certificate_shown = platform_text.parse_certificate(text) or platform_text.match_fields(text, [certificate])
            if certificate_shown == certificate:
                return file
    return None


def _read_own(shell: PlatformShell, files: Iterable[CertificateFile]) -> dict[str, Certificate]:
    """Return the node's own certificates by the name of their service, those whose PEM block is printed."""
    own: dict[str, Certificate] = {}
    for file in files:
        if certificate := platform_text.parse_certificate(shell.show("own", file)):
            own[file.unit] = certificate
    return own
