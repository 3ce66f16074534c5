"""One Expressway-C peer: REST for certificates and publishers, the shell for everything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remediate.connectors.closing import Closing
from remediate.connectors.expressway.capabilities import Capabilities, read_capabilities
from remediate.connectors.expressway.diagnostic_logging import DiagnosticLogging
from remediate.connectors.expressway.health import MAINTENANCE_MODE, StatusSource, read_health
from remediate.connectors.expressway.records import (
    CIPHER_LIST,
    PASSWORD_SETTING,
    VERIFY_FLAG,
    Alternates,
    PublisherRecord,
    parse_alternates,
    parse_cipher_lists,
    parse_system_name,
    parse_verify_flag,
)
from remediate.connectors.expressway.rest import CLUSTER_PEERS, TRUSTED_CA, RestSession, UnexpectedRedirect
from remediate.connectors.expressway.shell import CommandFailed, Shell
from remediate.connectors.expressway.shell_text import format_setting, parse_leaves
from remediate.connectors.expressway.status_text import StatusNotUnderstood
from remediate.connectors.expressway.status_xml import configuration_lines, getxml_path, status_lines
from remediate.connectors.expressway.trusted_list import CertificateList, parse_certificate_list
from remediate.connectors.http import Account
from remediate.connectors.text import parse_address
from remediate.model.access import PeerAccess
from remediate.model.canonical import utc_now
from remediate.model.certificate import Certificate
from remediate.model.errors import AccessError, NotOffered, ObservationError, WriteForbidden, WriteRefused
from remediate.model.expressway import REFRESH_BUTTON, SHELL_ACCOUNTS, TRUSTED_CA_PAGE, UNIFIED_COMMUNICATIONS_MENU
from remediate.model.health import Health
from remediate.model.identity import Address, CipherList, Product
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

SHELL_ACCOUNT_ADVICE = (
    "Give the account `admin` as `expressway.username`, and the account for REST under `expressway.rest`. Without the shell "
    "you can plan, but not apply."
)

_STATUS_VERSION = re.compile(r"<Status\b[^>]{0,400}?\bversion=\"([^\"<>]{1,40})\"")

_PUBLISHER_PATHS: Mapping[Product, str] = {"cucm": "/controller/server/cucm", "imp": "/controller/server/imp"}
"""Unity Connection has no known resource."""


class ExpresswayPeer(Closing):
    """One peer. A context manager that holds one REST session and, from its first use on, one shell.

    What was read last over its sessions is kept (`last_trusted_list`, `last_ciphers`, `last_publishers`), so that one look at a peer
    asks for each thing once; the trusted CA list is read by the login already.

    `username` and `password` are for the shell, and for REST where `rest` is None. Without a shell (`shell_problem`), what only it
    answers raises AccessError; its version is read over REST.

    Every read raises ObservationError when the peer cannot be read, LoginRefused at once, and PinMismatch before a login is tried.
    Every write raises WriteForbidden when the peer is not `writable`, WriteRefused when the peer refuses it, NotOffered, and
    OutcomeUnknown when the answer was lost. Writes are not read back: that is up to the caller.
    """

    def __init__(
        self,
        access: PeerAccess,
        username: str,
        password: Secret,
        limits: Limits,
        *,
        writable: bool,
        logs: bool = False,
        rest_account: Account | None = None,
    ) -> None:
        self._access, self._username, self._password, self._limits = access, username, password, limits
        self._writable = writable
        self._rest = RestSession(access, rest_account or Account(username, password), limits, writable=writable, logs=logs)
        self.shell_problem = "" if username in SHELL_ACCOUNTS else f"the shell accepts only admin and root, not {username}"
        self._open_shell: Shell | None = None
        self._capabilities: Capabilities | None = None
        self._list_of_login: str | None = None
        self._listed: CertificateList | None = None
        self._ciphers: Mapping[str, CipherList] | None = None
        self._publishers: tuple[PublisherRecord, ...] | None = None

    def close(self) -> None:
        """End both sessions."""
        self._rest.close()
        if self._open_shell:
            self._open_shell.close()

    def reconnect(self) -> None:
        """End both sessions; the next use logs in anew."""
        self.close()
        self._open_shell = None

    @property
    def address(self) -> Address:
        """The address in the inventory, or in the cluster's own list."""
        return self._access.address

    @property
    def identity(self) -> str:
        """The SSH host key: the same under each name and address of a peer, and different on each peer."""
        return self._ensure_shell().host_key

    @property
    def access(self) -> PeerAccess:
        """The access to this peer."""
        return self._access

    def log_in(self) -> None:
        """Log in over REST and, unless there is a `shell_problem`, SSH; once each."""
        self.log_in_to_rest()
        if not self.shell_problem:
            self.log_in_to_shell()

    def log_in_to_rest(self) -> None:
        """Log in over REST."""
        self._list_of_login = self._rest.log_in()

    def log_in_to_shell(self) -> None:
        """Log in over SSH."""
        self._ensure_shell()

    def capabilities(self) -> Capabilities:
        """Return the capabilities that ``/api/raml`` describes; none where the peer has no such page."""
        if self._capabilities is None:
            try:
                self._capabilities = read_capabilities(self._rest.get_page("/api/raml"))
            except (NotOffered, UnexpectedRedirect):
                # Only the description is missing; this version may serve the page to browsers alone.
                self._capabilities = Capabilities()
        return self._capabilities

    def version(self) -> str | None:
        """Return a version such as ``X14.2.1``; None when the peer does not state it."""
        if self.shell_problem:
            return self._read_version_over_rest()
        version = self._ensure_shell().system.get("SystemUnit/Software/Version")
        return mask_and_escape(version, 40) if version else None

    def system_name(self) -> str | None:
        """Return what its administrators call the peer; None where its shell does not state it, or there is none."""
        return None if self.shell_problem else parse_system_name(self._ensure_shell().system.get("SystemUnit/Name"))

    def clock(self) -> datetime | None:
        """Return the peer's clock, by which its traffic server judges dates; None when the peer does not send it."""
        return self._rest.read_clock()

    def trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the trusted CA list in the peer's order, without the CRLs in it."""
        return self.trusted_list().certificates

    def trusted_list(self) -> CertificateList:
        """Return the trusted CA list with the CRLs in it, apart.

        Raises:
            ObservationError: It may be cut (`expressway.trusted_list`), or is over the limit.
        """
        self._list_of_login = self._listed = None
        return self._parse_trusted_list(self._rest.get(TRUSTED_CA))

    def last_trusted_list(self) -> CertificateList:
        """Return the trusted CA list as it was last read, by the login or since; it is read where it was not.

        Raises:
            ObservationError: As `trusted_list`.
        """
        if self._listed is None and self._list_of_login is not None:
            return self._parse_trusted_list(self._list_of_login)
        return self._listed or self.trusted_list()

    def _parse_trusted_list(self, text: str) -> CertificateList:
        listed = parse_certificate_list(text, f"The trusted CA list of {self.address}")
        if len(listed.certificates) > self._limits.max_list_certificates:
            raise ObservationError(
                f"The trusted CA list of {self.address} has {len(listed.certificates)} certificates, over the limit of "
                f"{self._limits.max_list_certificates}."
            )
        self._listed = listed
        return listed

    def last_trusted_ca(self) -> tuple[Certificate, ...]:
        """Return the certificates of `last_trusted_list`."""
        return self.last_trusted_list().certificates

    def revocation_lists(self) -> tuple[str, ...]:
        """Return the CRLs in the trusted CA list as it was last read, as PEM, in the peer's order."""
        return self.last_trusted_list().revocation_lists

    def server_chain(self) -> tuple[Certificate, ...]:
        """Return the peer's own certificate, and the chain where it follows."""
        return parse_certificate_list(self._rest.get("/certs/server"), f"The server certificate of {self.address}").certificates

    def ciphers(self) -> Mapping[str, CipherList]:
        """Return the OpenSSL cipher lists by name (``ReverseProxyTLSCiphers``)."""
        self._ciphers = parse_cipher_lists(parse_leaves(self._ensure_shell().query("xConfiguration Ciphers")))
        return self._ciphers

    def last_ciphers(self) -> Mapping[str, CipherList]:
        """Return the cipher lists as they were last read; they are read where they were not."""
        return self.ciphers() if self._ciphers is None else self._ciphers

    def verify_origin_server(self) -> bool | None:
        """Return the workaround flag, True being the safe state; None where this version does not offer it."""
        try:
            return parse_verify_flag(parse_leaves(self._ensure_shell().query(f"xConfiguration {VERIFY_FLAG}")))
        except CommandFailed:
            return None

    def alternates(self) -> Alternates:
        """Return the peer's view of its cluster; empty on a standalone peer."""
        try:
            values = parse_leaves(self.status_source().query("xConfiguration Alternates"))
        except (CommandFailed, NotOffered, StatusNotUnderstood):
            values = {}
        return parse_alternates(values)

    def cluster_peers(self) -> tuple[Address, ...]:
        """Return the peers that the cluster names over REST; none on a standalone peer."""
        try:
            records = self._read_records(CLUSTER_PEERS, "PeerAddress")
        except NotOffered:
            return ()
        return tuple(self._parse_address(record["PeerAddress"]) for record in records)

    def publishers(self, product: Product | None = None) -> tuple[PublisherRecord, ...]:
        """Return the Unified CM and IM&P publishers that servers are discovered from; with `product`, those of it alone."""
        products = _PUBLISHER_PATHS if product is None else (product,)
        self._publishers = tuple(publisher for name in products for publisher in self._read_publishers(name))
        return self._publishers

    def last_publishers(self) -> tuple[PublisherRecord, ...]:
        """Return the publishers as they were last read; they are read where they were not."""
        return self.publishers() if self._publishers is None else self._publishers

    def lists_publishers(self) -> bool:
        """Return whether this peer has a list of Unified CM publishers.

        Without one, the publishers are not known.
        """
        try:
            self._rest.get_objects(_PUBLISHER_PATHS["cucm"])
        except NotOffered:
            return False
        return True

    def health(self, names: Collection[str] | None = None) -> Health:
        """Return the status of the peer; what could not be read is None.

        Args:
            names: The readings to make; see `read_health`.

        Raises:
            LoginRefused, PinMismatch: At once. Nothing else is raised.
        """
        return read_health(self.status_source(), utc_now, names)

    def status_source(self) -> StatusSource:
        """Return the plain readings of this peer: pages, and commands that only read."""
        return _Status(self.address, self._rest, self._ensure_shell, has_shell=not self.shell_problem)

    def diagnostic_logging(self) -> DiagnosticLogging:
        """Return the diagnostic logging of this peer; it is written on a peer that was opened for writing, or for logs.

        Raises:
            NotOffered: This version has none over REST.
        """
        return DiagnosticLogging(self._rest, self.address, self.capabilities(), self._limits)

    def append_trusted_ca(self, certificate: Certificate) -> None:
        """Append one certificate to this peer's trusted CA list.

        It is sent as re-encoded PEM that ends in exactly one newline: a list with two blocks glued together breaks every HTTPS
        target of the peer.
        """
        self._rest.write(
            "POST", TRUSTED_CA, files={"file": ("certificate.pem", certificate.pem.encode(), "application/x-pem-file")}
        )

    def remove_trusted_ca(self, certificate: Certificate) -> None:
        """Remove one certificate from this peer's trusted CA list, in the form that ``/api/raml`` describes. Raises NotOffered."""
        self._require_writable("remove a certificate")
        offered = self.capabilities()
        body = offered.removal.format_body(certificate) if offered.removal else None
        if offered.removal is None or body is None:
            why = " in a known format" if offered.unknown_removal else " of this certificate" if offered.removal else ""
            raise NotOffered(
                f"{self.address} offers no removal{why} from its trusted CA list over REST.",
                next_step=f"Open {TRUSTED_CA_PAGE} on that peer, delete it there, and run again.",
            )
        self._rest.write("DELETE", TRUSTED_CA, data=body, headers={"Content-Type": offered.removal.media_type})

    def set_cipher(self, name: str, value: CipherList) -> None:
        """Set one cipher list; on the primary, from which it is replicated. Raises WriteRefused for a list that it does not have."""
        path = f"Ciphers {name} Value"
        if not CIPHER_LIST.fullmatch(path):
            raise WriteRefused(
                f"`{mask_and_escape(name, 60)}` is not an OpenSSL cipher list of Expressway; nothing was sent to "
                f"{self.address}."
            )
        self._execute(format_setting(path, value))

    def set_verify_origin_server(self, on: bool) -> None:  # noqa: FBT001  its one argument is its meaning
        """Set the workaround flag on this peer. Raises NotOffered."""
        self._require_writable("set the workaround flag")
        if self.verify_origin_server() is None:
            raise NotOffered(f"{self.address} has no `{VERIFY_FLAG}`: this version does not offer the workaround.")
        self._execute(format_setting(VERIFY_FLAG, "On" if on else "Off", quoted=False))

    def refresh_discovery(self, publisher: Address, product: Product, axl: tuple[str, Secret] | None) -> None:
        """Add a publisher again with its AXL account and all its settings, so that the cluster discovers its servers anew.

        There is no documented REST verb for the *Refresh servers* button. The peer queries a publisher over AXL when it is added,
        which is slow. A setting that is left out may be reset, so each one that the peer shows goes back as it is.
        """
        self._require_writable("refresh discovery")
        if axl is None or product not in self.capabilities().refresh_products:
            raise self._make_refresh_refusal(publisher, "" if axl else " without the AXL account of the publisher")
        username, password = axl
        records = [record for record in self._read_publishers(product) if record.address == publisher]
        if not records:
            raise self._make_refresh_refusal(publisher, ": it is no longer listed there")
        if obstacle := records[0].describe_obstacle(username):
            raise self._make_refresh_refusal(publisher, f": {obstacle}")
        body = {**records[0].settings, PASSWORD_SETTING: password.reveal()}
        self._rest.write("POST", _PUBLISHER_PATHS[product], json=body, secret=password, read_s=self._limits.slow_write_s)

    def _make_refresh_refusal(self, publisher: Address, reason: str) -> NotOffered:
        return NotOffered(
            f"The discovery of {publisher} cannot be refreshed by {self.address} over REST{reason}.",
            next_step=f"On the primary, open {UNIFIED_COMMUNICATIONS_MENU}, the page of that product, and press {REFRESH_BUTTON}.",
        )

    def set_maintenance(self, on: bool) -> None:  # noqa: FBT001  its one argument is its meaning
        """Turn maintenance mode of this peer on or off (command reference X15.5); it is off again after a restart."""
        self._execute(format_setting(MAINTENANCE_MODE, "On" if on else "Off", quoted=False))

    def restart(self) -> None:
        """Restart this peer's services: over REST where the peer describes it, else by ``xCommand Restart``."""
        self._require_writable("restart")
        if self.capabilities().restart:
            self._rest.write("POST", "/restart", json={})
        else:
            self._execute("xCommand Restart")

    def _read_version_over_rest(self) -> str | None:
        try:
            status = self._rest.get_page(getxml_path("xStatus", "SystemUnit"))
        except (NotOffered, ObservationError):
            # It is shown and warned of, and decides nothing.
            return None
        match = _STATUS_VERSION.search(status)
        return mask_and_escape(match[1], 40) if match else None

    def _ensure_shell(self) -> Shell:
        if self.shell_problem:
            raise AccessError(
                f"The shell of {self.address} is needed for this, and {self.shell_problem}.", next_step=SHELL_ACCOUNT_ADVICE
            )
        if self._open_shell is None:
            self._open_shell = Shell(self._access, self._username, self._password, self._limits, writable=self._writable)
        return self._open_shell

    def _execute(self, command: str) -> None:
        self._require_writable(command.partition(":")[0])
        self._ensure_shell().execute(command)

    def _require_writable(self, action: str) -> None:
        """Raise WriteForbidden unless the peer is writable. The transports refuse as well, but only after the reads of a write."""
        if not self._writable:
            raise WriteForbidden(f"{self.address} was opened read-only: `{action}` was blocked.")

    def _read_publishers(self, product: Product) -> list[PublisherRecord]:
        try:
            records = self._read_records(_PUBLISHER_PATHS[product], "Publisher")
        except NotOffered:
            return []
        return [
            PublisherRecord(
                address=self._parse_address(record["Publisher"]),
                product=product,
                axl_username=str(record.get("AxlUsername", "")),
                tls_verify=str(record.get("TlsVerify", "On")),
                settings={name: value for name, value in record.items() if name != PASSWORD_SETTING},
            )
            for record in records
        ]

    def _read_records(self, resource: str, key: str) -> list[dict[str, Any]]:
        """Return the objects of a resource that have a value under `key`.

        One without a value is a position that is not in use.
        """
        records = self._rest.get_objects(resource)
        if any(key not in record for record in records):
            raise ObservationError(f"{self.address} returned an entry at {resource} without `{key}`.")
        return [record for record in records if record[key]]

    def _parse_address(self, value: object) -> Address:
        address = parse_address(str(value))
        if address is None:
            raise ObservationError(
                f"{self.address} names a server that is neither a host name nor an IP address: "
                f"{mask_and_escape(str(value), 80)}"
            )
        return address


@dataclass(frozen=True, slots=True)
class _Status:
    """The source of the readings of health. The shell is opened when it is first asked; without one, REST may give the same."""

    address: Address
    rest_session: RestSession
    shell: Callable[[], Shell]
    has_shell: bool

    def query(self, command: str) -> Sequence[str]:
        if self.has_shell:
            return self.shell().query(command)
        kind, _, words = command.partition(" ")
        page = self.rest_session.get_page(getxml_path(kind, words))
        return status_lines(page, words) if kind == "xStatus" else configuration_lines(page, words)

    def get_page(self, path: str) -> str:
        return self.rest_session.get_page(path)
