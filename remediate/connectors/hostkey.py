"""Whether an SSH host key is the one we expect: pinned, or in known_hosts. Never accepted because it is there."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import paramiko

from remediate.connectors.text import reason_of
from remediate.model.access import PeerAccess
from remediate.model.errors import InventoryError


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """What a peer's host key is compared with. `what` says so in a message."""

    what: str
    pins: frozenset[str]

    def accepts(self, key: paramiko.PKey) -> bool:
        """Whether `key` is expected."""
        return fingerprint_of(key) in self.pins


def fingerprint_of(key: paramiko.PKey) -> str:
    """Return ``SHA256:BASE64``, as ``ssh-keygen -lf`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")


def host_key_check(access: PeerAccess) -> HostKeyCheck:
    """Return the check for one peer. Raises InventoryError when the known_hosts file that the inventory names cannot be read."""
    if access.ssh.host_key:
        return HostKeyCheck("the pinned host key", frozenset({access.ssh.host_key}))
    path = access.ssh.known_hosts or _of_the_user(access)
    keys = paramiko.HostKeys()
    if access.ssh.known_hosts or path.exists():
        try:
            keys.load(str(path))
        except (OSError, paramiko.SSHException) as error:
            raise InventoryError(f"{path}: this known_hosts file cannot be read: {reason_of(error)}.") from error
    # OpenSSH's own spelling: brackets only with a port that is not 22.
    name = access.address if access.ssh_port == 22 else f"[{access.address}]:{access.ssh_port}"
    known = keys.lookup(name)
    return HostKeyCheck(f"what {path} holds for {name}", frozenset(fingerprint_of(key) for key in (known or {}).values()))


def _of_the_user(access: PeerAccess) -> Path:
    try:
        return Path.home() / ".ssh" / "known_hosts"
    except RuntimeError as error:
        raise InventoryError(
            f"{access.address}: no SSH host key is given, and this user has no home with a known_hosts file.",
            next_step='Pin the host key in the inventory: ssh: {host_key: "SHA256:BASE64"}.',
        ) from error
