"""Platform shell of a simulated Unified CM or IM and Presence node: takes a line, returns what the node prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from remediate.lab.node_stores import NodeStores
from remediate.model.certificate import Certificate
from remediate.model.errors import CertificateError

Layout = Literal["fields", "fields-and-pem", "bouncy-castle"]
"""How a release prints a certificate: up to 14SU1 its fields, in most with the PEM block after them, from 14SU2 under other names."""

BANNER = (
    "Command Line Interface is starting up, please wait ...\r\n\r\n   Welcome to the Platform Command Line Interface\r\n\r\n"
    "VMware Installation:\r\n\t2 vCPU: Intel(R) Xeon(R)\r\n\tDisk 1: 110GB, Partitions aligned\r\n\t8192 Mbytes RAM\r\n\r\n"
)
PROMPT = "admin:"
PASTE = "Paste the Certificate and Hit Enter\r\n"


@dataclass(eq=False)
class PlatformShell:
    """Shell over the stores of one node.

    Attributes:
        own: Its own certificates by the name of their service, live.
        restarted: Called when a service restarted.
        can_write: It has ``set cert import`` and ``set cert delete``.
    """

    own: Callable[[], Mapping[str, Certificate]]
    stores: NodeStores
    restarted: Callable[[], None]
    layout: Layout = "fields-and-pem"
    can_write: bool = True

    def asks_for_certificate(self, line: str) -> str | None:
        """Return the store that a line wants a certificate pasted for; None for any other line."""
        match = re.fullmatch(r"set cert import trust (\S+)", line.strip())
        return match[1] if match and self.can_write and match[1] in self.stores.trusted else None

    def import_certificate(self, store: str, pasted: str) -> list[str]:
        """Take what was pasted into a store."""
        try:
            certificates = Certificate.all_from_pem(pasted)
        except CertificateError:
            certificates = ()
        if not certificates:
            return ["Error reading certificate. It is not in PEM format.", "Executed command unsuccessfully"]
        self.stores.add(store, certificates)
        return [
            f"Successfully imported certificate for {store}.",
            f"Please restart services related to {store} for the new certificate to become active.",
        ]

    def carry_out(self, line: str) -> list[str]:
        """Carry a line out and return what the node prints."""
        text = " ".join(line.split())
        if text == "set cli pagination off":
            return ["Automatic pagination is turned off"]
        if text == "show cert list own":
            return ["", *(f"{name}/{name}.pem: Certificate Signed by the lab" for name in self.own())]
        if text == "show cert list trust":
            return ["", *(f"{path}: Trust Certificate" for path in self._files())]
        if match := re.fullmatch(r"show cert own (\S+)", text):
            return self._show({**self.own(), **{f"{name}/{name}.pem": own for name, own in self.own().items()}}.get(match[1]))
        if match := re.fullmatch(r"show cert trust (\S+)", text):
            return self._show(self._files().get(match[1]))
        if (match := re.fullmatch(r"set cert delete (\S+)-trust (\S+)", text)) and self.can_write:
            return self._delete(match[1], f"{match[1]}-trust/{match[2]}")
        if match := re.fullmatch(r"utils service restart (.+)", text):
            return self._restart(match[1])
        return ["No valid command entered", "Executed command unsuccessfully"]

    def _files(self) -> dict[str, Certificate]:
        with self.stores.lock:
            return {
                f"{store}-trust/{_file_name(certificate)}": certificate
                for store, certificates in self.stores.trusted.items()
                for certificate in certificates
            }

    def _show(self, certificate: Certificate | None) -> list[str]:
        if certificate is None:
            return ["The certificate was not found", "Executed command unsuccessfully"]
        pem = [] if self.layout == "fields" else certificate.pem.splitlines()
        if self.layout == "bouncy-castle":
            return [
                "  [0]         Version: 3",
                f"         SerialNumber: {certificate.serial}",
                f"             IssuerDN: {certificate.issuer}",
                f"           Start Date: {certificate.not_before:%a %b %d %H:%M:%S UTC %Y}",
                f"           Final Date: {certificate.not_after:%a %b %d %H:%M:%S UTC %Y}",
                f"            SubjectDN: {certificate.subject}",
                *pem,
            ]
        return [
            "[",
            "  Version: V3",
            f"  Serial Number: {certificate.serial:X}",
            "  SignatureAlgorithm: SHA256withRSA (1.2.840.113549.1.1.11)",
            f"  Issuer Name: {certificate.issuer}",
            f"  Validity From: {certificate.not_before:%a %b %d %H:%M:%S UTC %Y}",
            f"           To:   {certificate.not_after:%a %b %d %H:%M:%S UTC %Y}",
            f"  Subject Name: {certificate.subject}",
            "]",
            *pem,
        ]

    def _delete(self, store: str, path: str) -> list[str]:
        certificate = self._files().get(path)
        if certificate is None:
            return ["The certificate was not found", "Executed command unsuccessfully"]
        self.stores.remove(store, certificate)
        return [f"Successfully deleted certificate {path}."]

    def _restart(self, service: str) -> list[str]:
        if not self.stores.restart(service):
            return [f"Service {service} is invalid", "Executed command unsuccessfully"]
        self.restarted()
        return [f"{service}[STOPPING]", f"{service}[STARTING]", f"{service}[STARTED]"]


def _file_name(certificate: Certificate) -> str:
    name = re.sub(r"[^A-Za-z0-9.-]", "_", certificate.common_name or "certificate")
    return f"{name}_{certificate.serial:x}.pem"
