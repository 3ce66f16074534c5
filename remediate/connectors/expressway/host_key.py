"""Whether an SSH host key is the one we expect: pinned, or in known_hosts. Never accepted because it is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import paramiko

from remediate.connectors.expressway.known_hosts import fingerprint_of_blob, known_keys, spelled
from remediate.machine.files import read_regular_file
from remediate.model.access import PeerAccess
from remediate.model.errors import InventoryError

_LARGEST_KNOWN_HOSTS = 64 * 1024 * 1024
_EACH_PIN = 'Pin the host key in the inventory: ssh: {host_key: "SHA256:BASE64"}.'


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """What a peer's host key is compared with. `what` says so in a message.

    Attributes:
        pins: the fingerprints that are expected.
        revoked: those that are refused, whatever else is said of them.
    """

    what: str
    pins: frozenset[str]
    revoked: frozenset[str] = frozenset()

    def accepts(self, key: paramiko.PKey) -> bool:
        """Whether `key` is expected."""
        return fingerprint_of(key) in self.pins - self.revoked

    def revokes(self, key: paramiko.PKey) -> bool:
        """Whether `key` is one that must never be accepted."""
        return fingerprint_of(key) in self.revoked


def fingerprint_of(key: paramiko.PKey) -> str:
    """Return ``SHA256:BASE64``, as ``ssh-keygen -lf`` prints it."""
    return fingerprint_of_blob(key.asbytes())


def host_key_check(access: PeerAccess) -> HostKeyCheck:
    """Return the check for one peer. Raises InventoryError when its known_hosts file cannot be read."""
    if access.ssh.host_key:
        return HostKeyCheck("the pinned host key", frozenset({access.ssh.host_key}))
    path = access.ssh.known_hosts or _of_the_user(access)
    name = spelled(access.address, access.ssh_port)
    try:
        content = read_regular_file(path, _LARGEST_KNOWN_HOSTS)
    except FileNotFoundError as error:
        if access.ssh.known_hosts:
            raise InventoryError(f"{path}: this known_hosts file cannot be read: there is no such file.") from error
        return HostKeyCheck(f"known, since no host_key is given and there is no file {path} either", frozenset())
    except OSError as error:
        raise InventoryError(f"{path}: this known_hosts file cannot be read: {error.strerror}.", next_step=_EACH_PIN) from error
    keys = known_keys(content, access.address, access.ssh_port)
    return HostKeyCheck(f"what {path} holds for {name}", keys.accepted, keys.revoked)


def _of_the_user(access: PeerAccess) -> Path:
    try:
        return Path.home() / ".ssh" / "known_hosts"
    except RuntimeError as error:
        raise InventoryError(
            f"{access.address}: no SSH host key is given, and this user has no home with a known_hosts file.",
            next_step=_EACH_PIN,
        ) from error
