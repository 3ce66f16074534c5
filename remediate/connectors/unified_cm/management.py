"""Certificate management of one node: over REST on Unified CM 14 and later, else over its platform shell; both as one session.

REST takes uploads (``POST /config/trust/certificates``). No document that was found describes how it deletes, so a certificate is
deleted over the platform shell alone (``set cert delete``, Unified CM CLI reference), and never by a guess over REST.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from remediate.connectors.addresses import list_inventory_hosts
from remediate.connectors.closing import Closing
from remediate.connectors.http import Account
from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.node import UnifiedCmNode, open_node
from remediate.connectors.unified_cm.node_registry import WEB_PORT
from remediate.connectors.unified_cm.platform_reader import find_file, read_store
from remediate.connectors.unified_cm.platform_shell import PlatformShell, ShellAccess
from remediate.model.access import ClusterAccess, NodeAccess
from remediate.model.certificate import Certificate
from remediate.model.errors import InventoryError, NotOffered, ObservationError, PinMismatch, WriteForbidden
from remediate.model.identity import Address
from remediate.model.limits import Limits


class NodeManagement(Closing):
    """The trust stores of one node, to be read and written."""

    def __init__(
        self,
        address: Address,
        web: UnifiedCmNode | None,
        open_shell: Callable[[], PlatformShell],
        account: Account,
        candidates: Sequence[Certificate],
        *,
        writable: bool,
    ) -> None:
        self._address, self._web, self._account, self._writable = address, web, account, writable
        self._open_shell, self._candidates = open_shell, candidates
        self._shell: PlatformShell | None = None

    def close(self) -> None:
        """End the session of the shell, if there is one."""
        if self._shell:
            self._shell.close()
            self._shell = None

    @property
    def address(self) -> Address:
        """The connection address of the node."""
        return self._address

    def trusted(self, store: str, expected: Certificate) -> tuple[Certificate, ...]:
        """Return what a service trusts; `expected` is recognised by its fields alone, too. Raises ObservationError."""
        if self._web:
            trust = self._web.read_certificates(self._account).trust
            if store not in trust:
                raise ObservationError(f"Certificate management on {self._address} shows no {store}-trust.")
            return trust[store]
        shell = self._get_shell()
        files = [file for file in shell.list_files("trust") if file.unit == f"{store}-trust"]
        trusted = read_store(shell, files, (expected, *self._candidates))
        if trusted is None:
            raise ObservationError(f"{store}-trust of {self._address} holds a certificate that its shell does not print.")
        return tuple(trusted)

    def add_trusted(self, store: str, certificate: Certificate) -> None:
        """Upload a certificate to what a service trusts, once. Raises the errors of a write."""
        self._refuse_unless_writable(f"an upload to {store}-trust")
        if self._web:
            self._web.upload_trusted(self._account, store, certificate)
        else:
            self._get_shell().import_trusted(store, certificate)

    def remove_trusted(self, store: str, certificate: Certificate) -> None:
        """Delete a certificate from what a service trusts. Raises the errors of a write."""
        self._refuse_unless_writable(f"a deletion from {store}-trust")
        try:
            shell = self._get_shell()
            file = find_file(shell, store, certificate)
        except (ObservationError, PinMismatch) as error:
            raise NotOffered(f"{self._address} deletes certificates only over its platform shell: {error}") from error
        if file is None:
            raise NotOffered(f"The platform shell of {self._address} does not list the certificate in {store}-trust.")
        shell.delete_trusted(file)

    def _refuse_unless_writable(self, operation: str) -> None:
        if not self._writable:
            raise WriteForbidden(f"{self._address}: {operation} was blocked: this session is read-only.")

    def _get_shell(self) -> PlatformShell:
        if self._shell is None:
            self._shell = self._open_shell()
        return self._shell


def open_node_management(
    cluster: ClusterAccess, address: Address, authorities: Sequence[Certificate], limits: Limits, *, writable: bool
) -> NodeManagement:
    """Open the certificate management of one node of `cluster`.

    Args:
        cluster: The inventory of the cluster, with `platform_credentials`.
        address: The connection address of the node.
        authorities: CA certificates that its web port must verify under before the account is sent to it.
        limits: On time and size.
        writable: Without it, a write raises WriteForbidden.

    Raises:
        LoginRefused: At once.
        ObservationError, PinMismatch: Neither REST nor the shell can be used.
        InventoryError: The inventory has no account, or its secret cannot be read.
    """
    if cluster.platform is None:
        raise InventoryError(f"{cluster.source}: `unified_communications` has no `platform_credentials`.")
    account = Account(cluster.platform.username, cluster.platform.password.read())
    node = next((node for node in cluster.nodes if node.address.casefold() == address.casefold()), NodeAccess(address, "cucm"))
    access = shell_access(cluster, node)
    target = Target(node.address, WEB_PORT, node.product, node.connect_to, guarded=access.guarded)
    web: UnifiedCmNode | None = None
    with suppress(ObservationError, NotOffered):
        opened = open_node(target, authorities, limits)
        if opened.verified:
            opened.read_certificates(account)
            web = opened
    open_shell = partial(open_platform_shell, access, account, limits, writable=writable)
    return NodeManagement(node.address, web, open_shell, account, tuple(authorities), writable=writable)


def shell_access(cluster: ClusterAccess, node: NodeAccess) -> ShellAccess:
    """Return where the platform shell of a node is."""
    host = node.connect_to or node.address
    guarded = host.casefold() not in list_inventory_hosts(cluster)
    return ShellAccess(node.address, host, node.ssh_port, node.ssh, guarded=guarded)


def open_platform_shell(access: ShellAccess, account: Account, limits: Limits, *, writable: bool) -> PlatformShell:
    """Log in to the platform shell of a node.

    Raises:
        AccessError, LoginRefused, PinMismatch: As `PlatformShell`.
        ObservationError: As `PlatformShell`, or what its host key is compared with cannot be read.
    """
    try:
        return PlatformShell(access, account.username, account.password, limits, writable=writable)
    except InventoryError as error:
        raise ObservationError(str(error)) from error
