"""A ``known_hosts`` file as OpenSSH writes and reads it: sshd(8), *SSH_KNOWN_HOSTS FILE FORMAT*. Bytes in, fingerprints out. No I/O.

A line that is not understood is passed over, as OpenSSH does: it accepts nobody. ``@cert-authority`` is passed over, too: a host
certificate is never asked for here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

_REVOKED = b"@revoked"
_HASHED = b"|1|"


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """What a file holds for one host, as fingerprints (``SHA256:BASE64``).

    Attributes:
        accepted: keys of this host; one of them may be revoked, too.
        revoked: keys that must never be accepted from this host.
    """

    accepted: frozenset[str]
    revoked: frozenset[str]


def known_keys(content: bytes, host: str, port: int) -> KnownKeys:
    """Return what `content`, a whole ``known_hosts`` file, holds for `host` at `port`.

    Names are compared without case. A key that is listed for the bare host counts for port 22 alone; one that is revoked for the bare
    host is revoked for each of its ports, which is stricter than OpenSSH.
    """
    name = spelled(host, port).lower().encode()
    bare = host.lower().encode()
    accepted, revoked = set[str](), set[str]()
    for line in content.splitlines():
        fields = line.split(maxsplit=4)
        if not fields or fields[0].startswith(b"#"):
            continue
        marker = fields.pop(0) if fields[0].startswith(b"@") else b""
        key = _fingerprint(fields[1:3])
        if key is None or marker not in (b"", _REVOKED):
            continue
        if marker == _REVOKED and (_is_for(name, fields[0]) or _is_for(bare, fields[0])):
            revoked.add(key)
        elif not marker and _is_for(name, fields[0]):
            accepted.add(key)
    return KnownKeys(frozenset(accepted), frozenset(revoked))


def spelled(host: str, port: int) -> str:
    """Return how the file calls `host`: with brackets and port only where the port is not 22."""
    return host if port == 22 else f"[{host}]:{port}"


def fingerprint_of_blob(blob: bytes) -> str:
    """Return ``SHA256:BASE64`` of a public key in its wire form, as ``ssh-keygen -lf`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _fingerprint(fields: list[bytes]) -> str | None:
    """The fingerprint of a key type and a key in base64; None where they are no key."""
    if len(fields) != 2:
        return None
    kind, encoded = fields
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    # A key begins with the name of its own type (RFC 4253, 6.6), its length before it.
    return fingerprint_of_blob(blob) if blob.startswith(len(kind).to_bytes(4, "big") + kind) else None


def _is_for(name: bytes, hosts: bytes) -> bool:
    """Whether the field of host names, hashed or a list of patterns, means `name` (in lower case)."""
    if hosts.startswith(b"|"):
        return _is_hash_of(name, hosts)
    patterns = hosts.lower().split(b",")
    if any(pattern.startswith(b"!") and _fits(name, pattern[1:]) for pattern in patterns):
        return False
    return any(_fits(name, pattern) for pattern in patterns)


def _is_hash_of(name: bytes, hashed: bytes) -> bool:
    """Whether ``|1|SALT|HASH`` is `name`: HASH is the HMAC-SHA1 of it under SALT, both in base64."""
    parts = hashed.removeprefix(_HASHED).split(b"|")
    if not hashed.startswith(_HASHED) or len(parts) != 2:
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts)
    except binascii.Error:
        return False
    return hmac.compare_digest(hmac.digest(salt, name, "sha1"), digest)


def _fits(name: bytes, pattern: bytes) -> bool:
    """Whether `name` is what `pattern` says, in which ``*`` is any number of characters and ``?`` is one.

    The last star alone is tried again, so the time grows with the product of both lengths and no faster.
    """
    at_name = at_pattern = 0
    star = resume = -1
    while at_name < len(name):
        wanted = pattern[at_pattern : at_pattern + 1]
        if wanted == b"*":
            star, resume = at_pattern, at_name
            at_pattern += 1
        elif wanted and wanted in (b"?", name[at_name : at_name + 1]):
            at_name, at_pattern = at_name + 1, at_pattern + 1
        elif star >= 0:
            resume += 1
            at_name, at_pattern = resume, star + 1
        else:
            return False
    return not pattern[at_pattern:].strip(b"*")
