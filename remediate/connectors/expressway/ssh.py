"""SSH to one peer: the host key is checked before the login, which is tried once, and the shell is opened."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from remediate.connectors.expressway.host_key import HostKeyCheck, fingerprint_of, host_key_check
from remediate.connectors.expressway.ssh_login import log_in
from remediate.connectors.text import reason_of
from remediate.model.access import PeerAccess
from remediate.model.errors import ObservationError, PinMismatch, RemediateError
from remediate.model.limits import Limits
from remediate.model.secret import Secret

# Everything that goes wrong is raised; without a handler, logging would print it as well.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_WIDTH, _HEIGHT = 4096, 10_000
"""A terminal so large that no line is wrapped and no page is full."""


def open_shell(access: PeerAccess, username: str, password: Secret, limits: Limits) -> paramiko.Channel:
    """Return an interactive shell with a terminal. Closing its transport ends the session.

    Raises:
        PinMismatch: another host key than expected; no login was tried.
        AccessError, LoginRefused: as `log_in`; nothing is tried again.
        ObservationError: the peer cannot be reached, or does not speak SSH.
    """
    transport = _recognised(access, host_key_check(access), limits)
    try:
        log_in(transport, access, username, password, limits)
        with _closed_after(limits.connect_s, transport):
            channel = transport.open_session(timeout=limits.connect_s)
            channel.get_pty(term="dumb", width=_WIDTH, height=_HEIGHT)
            channel.invoke_shell()
    except RemediateError:
        transport.close()
        raise
    except Exception as error:  # paramiko raises here whatever the transport's thread ended with
        transport.close()
        raise ObservationError(f"The shell of {access.address} could not be opened: {reason_of(error)}.") from error
    except BaseException:
        transport.close()
        raise
    return channel


@contextmanager
def _closed_after(seconds: float, transport: paramiko.Transport) -> Iterator[None]:
    """Close `transport` where what is done takes longer: paramiko waits for the answer to a request without end."""
    timer = threading.Timer(seconds, transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _recognised(access: PeerAccess, check: HostKeyCheck, limits: Limits) -> paramiko.Transport:
    """A connection whose host key is expected. A box has a key a type: each type is asked for before we say that none matches."""
    shown: dict[str, str] = {}
    while True:
        transport = _connected(access, limits, without=tuple(shown))
        if transport is None:
            break
        key = transport.get_remote_server_key()
        if check.accepts(key):
            return transport
        transport.close()
        if check.revokes(key):
            # Whoever stole a revoked key may be asked for another one, too: no other key of this box is looked at.
            raise PinMismatch(
                f"The SSH host key of {access.address}, {fingerprint_of(key)}, is marked @revoked in {check.what}.",
                next_step="Somebody else may hold this key. Give the box a new one, verify it over another path, and pin it.",
            )
        if key.get_name() in shown:
            break
        shown[key.get_name()] = fingerprint_of(key)
    raise PinMismatch(
        f"The SSH host key of {access.address} is not {check.what}: it presents {', '.join(shown.values())}.",
        next_step=None
        if check.pins
        else "Verify this host key over another path and put it in the inventory as `ssh: {host_key: …}`.",
    )


def _connected(access: PeerAccess, limits: Limits, without: tuple[str, ...]) -> paramiko.Transport | None:
    """A connection after the key exchange; None when the server has no key of a type that is left."""
    try:
        transport = paramiko.Transport(socket.create_connection((access.address, access.ssh_port), limits.connect_s))
    except OSError as error:
        raise ObservationError(f"SSH on {access.address}:{access.ssh_port} cannot be reached: {reason_of(error)}.") from error
    try:
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = limits.connect_s
        options = transport.get_security_options()
        options.key_types = [one for one in options.key_types if _key_name(one) not in without]
        transport.start_client(timeout=limits.connect_s)
    except Exception as error:  # as in open_shell
        transport.close()
        if without and isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return None
        raise ObservationError(f"{access.address}:{access.ssh_port} does not speak SSH with us: {reason_of(error)}.") from error
    return transport


def _key_name(algorithm: str) -> str:
    """The type of key behind a signature algorithm: RSA keys sign in several ways (RFC 8332)."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2") else algorithm
