"""SSH host keys: the check of the key that a peer presents, against a pin or a ``known_hosts`` file.

The file format is that of sshd(8), *SSH_KNOWN_HOSTS FILE FORMAT*. As in OpenSSH, a line that cannot be parsed is skipped: it accepts
no key. ``@cert-authority`` lines are skipped too, since a host certificate is never requested here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

import paramiko

from remediate.machine.files import read_regular_file
from remediate.model.access import PeerAccess
from remediate.model.errors import InventoryError

_MAX_KNOWN_HOSTS_BYTES = 64 * 1024 * 1024
_PIN_ADVICE = 'Pin the host key in the inventory: ssh: {host_key: "SHA256:BASE64"}.'
_REVOKED = b"@revoked"
_HASHED = b"|1|"


@dataclass(frozen=True, slots=True)
class HostKeyCheck:
    """The check of a peer's host key.

    Attributes:
        description: Names the check in messages.
        pins: Fingerprints that are accepted.
        revoked: Fingerprints that are refused even if they are pinned.
    """

    description: str
    pins: frozenset[str]
    revoked: frozenset[str] = frozenset()

    def accepts(self, key: paramiko.PKey) -> bool:
        """Return whether `key` is accepted."""
        return key.fingerprint in self.pins - self.revoked

    def revokes(self, key: paramiko.PKey) -> bool:
        """Return whether `key` must never be accepted."""
        return key.fingerprint in self.revoked


def load_host_key_check(access: PeerAccess) -> HostKeyCheck:
    """Return the check for one peer.

    Raises:
        InventoryError: Its known_hosts file cannot be read.
    """
    if access.ssh.host_key:
        return HostKeyCheck("the pinned host key", frozenset({access.ssh.host_key}))
    path = access.ssh.known_hosts or _find_user_file(access)
    name = format_known_hosts_name(access.address, access.ssh_port)
    try:
        content = read_regular_file(path, _MAX_KNOWN_HOSTS_BYTES)
    except FileNotFoundError as error:
        if access.ssh.known_hosts:
            raise InventoryError(f"{path}: this known_hosts file cannot be read: there is no such file.") from error
        return HostKeyCheck(f"known, since no host_key is given and there is no file {path} either", frozenset())
    except OSError as error:
        raise InventoryError(
            f"{path}: this known_hosts file cannot be read: {error.strerror}.", next_step=_PIN_ADVICE
        ) from error
    keys = find_known_keys(content, access.address, access.ssh_port)
    return HostKeyCheck(f"what {path} holds for {name}", keys.accepted, keys.revoked)


def _find_user_file(access: PeerAccess) -> Path:
    try:
        return Path.home() / ".ssh" / "known_hosts"
    except RuntimeError as error:
        raise InventoryError(
            f"{access.address}: no SSH host key is given, and this user has no home with a known_hosts file.",
            next_step=_PIN_ADVICE,
        ) from error


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """The keys that a file holds for one host, as fingerprints (``SHA256:BASE64``).

    Attributes:
        accepted: Keys of this host; they may be revoked, too.
        revoked: Keys that must never be accepted from this host.
    """

    accepted: frozenset[str]
    revoked: frozenset[str]


def find_known_keys(content: bytes, host: str, port: int) -> KnownKeys:
    """Return the keys that `content`, a whole ``known_hosts`` file, holds for `host` at `port`.

    Names are compared without case. A key that is listed for the bare host applies to port 22 alone; one that is revoked for the bare
    host is revoked for each of its ports, which is stricter than OpenSSH.
    """
    name = format_known_hosts_name(host, port).lower().encode()
    bare = host.lower().encode()
    accepted, revoked = set[str](), set[str]()
    for line in content.splitlines():
        fields = line.split(maxsplit=4)
        if not fields or fields[0].startswith(b"#"):
            continue
        marker = fields.pop(0) if fields[0].startswith(b"@") else b""
        key = _parse_fingerprint(fields[1:3])
        if key is None or marker not in (b"", _REVOKED):
            continue
        if marker == _REVOKED and (_matches_hosts(name, fields[0]) or _matches_hosts(bare, fields[0])):
            revoked.add(key)
        elif not marker and _matches_hosts(name, fields[0]):
            accepted.add(key)
    return KnownKeys(frozenset(accepted), frozenset(revoked))


def format_known_hosts_name(host: str, port: int) -> str:
    """Return the name of a host in the file: with brackets and port only where the port is not 22."""
    return host if port == 22 else f"[{host}]:{port}"


def _parse_fingerprint(fields: list[bytes]) -> str | None:
    """Return the fingerprint of a key type and a key in base64; None where they are no key."""
    if len(fields) != 2:
        return None
    kind, encoded = fields
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    # A key begins with the name of its own type (RFC 4253, 6.6), its length before it.
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        return None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _matches_hosts(name: bytes, hosts: bytes) -> bool:
    """Return whether the field of host names, hashed or a list of patterns, matches `name` (in lower case)."""
    if hosts.startswith(b"|"):
        return _is_hash_of(name, hosts)
    patterns = hosts.lower().split(b",")
    if any(pattern.startswith(b"!") and _matches_pattern(name, pattern[1:]) for pattern in patterns):
        return False
    return any(_matches_pattern(name, pattern) for pattern in patterns)


def _is_hash_of(name: bytes, hashed: bytes) -> bool:
    """Return whether ``|1|SALT|HASH`` is `name`.

    HASH is the HMAC-SHA1 of the name under SALT, both in base64.
    """
    parts = hashed.removeprefix(_HASHED).split(b"|")
    if not hashed.startswith(_HASHED) or len(parts) != 2:
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.digest(salt, name, "sha1"), digest)


def _matches_pattern(name: bytes, pattern: bytes) -> bool:
    """Return whether `name` matches `pattern`, in which ``*`` is any number of characters and ``?`` is one character.

    Only the last star is tried again, so the time grows with the product of both lengths and no faster.
    """
    at_name = at_pattern = 0
    star = resume = -1
    while at_name < len(name):
        character = pattern[at_pattern : at_pattern + 1]
        if character == b"*":
            star, resume = at_pattern, at_name
            at_pattern += 1
        elif character and character in (b"?", name[at_name : at_name + 1]):
            at_name, at_pattern = at_name + 1, at_pattern + 1
        elif star >= 0:
            resume += 1
            at_name, at_pattern = resume, star + 1
        else:
            return False
    return not pattern[at_pattern:].strip(b"*")
