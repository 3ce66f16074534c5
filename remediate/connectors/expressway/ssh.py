"""SSH to one peer: the host key is checked before the one login, and the shell is opened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from remediate.connectors.addresses import connect
from remediate.connectors.closing import Closing
from remediate.connectors.expressway.host_key import HostKeyCheck, load_host_key_check
from remediate.connectors.expressway.ssh_login import log_in
from remediate.connectors.text import describe_failure
from remediate.model.access import PeerAccess
from remediate.model.errors import ObservationError, PinMismatch, RemediateError
from remediate.model.identity import host_and_port
from remediate.model.limits import Limits
from remediate.model.secret import Secret

# All errors are raised; without a handler, logging would print them as well.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_WIDTH, _HEIGHT = 4096, 10_000
"""A terminal so large that no line is wrapped and no page is full."""
_MIN_TIMEOUT_S = 0.001
"""A time-out of 0 would not wait at all."""


class SessionLost(Exception):
    """The connection broke, or there was no answer in time."""


class ShellSession(Closing):
    """What is typed into an open shell, and what it prints."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel

    def close(self) -> None:
        """End the session."""
        self._channel.get_transport().close()

    def _send(self, text: str, deadline: float) -> None:
        unsent = text.encode()
        try:
            while unsent:
                self._channel.settimeout(max(deadline - time.monotonic(), _MIN_TIMEOUT_S))
                sent_count = self._channel.send(unsent)
                if not sent_count:
                    raise SessionLost("the session was closed")
                unsent = unsent[sent_count:]
        except SessionLost:
            raise
        except Exception as error:  # paramiko raises here whatever its own thread ended with
            raise SessionLost(describe_failure(error)) from error

    def _receive(self, seconds: float) -> bytes:
        """Return the next bytes; none when the shell is silent for so long."""
        try:
            self._channel.settimeout(max(seconds, _MIN_TIMEOUT_S))
            chunk = self._channel.recv(65536)
        except TimeoutError:
            return b""
        except Exception as error:  # as in _send
            raise SessionLost(describe_failure(error)) from error
        if not chunk:
            raise SessionLost("the session was closed")
        return chunk


def open_shell(
    access: PeerAccess, username: str, password: Secret, limits: Limits, *, guarded: bool = False
) -> paramiko.Channel:
    """Return an interactive shell with a terminal. Closing its transport ends the session.

    `guarded`: a source other than the inventory named the host, see `addresses.connect`.

    Raises:
        PinMismatch: The host key is another than expected; no login was tried.
        AccessError, LoginRefused: As `log_in`; nothing is tried again.
        ObservationError: The peer cannot be reached, or does not speak SSH.
    """
    transport = _connect_recognised(access, load_host_key_check(access), limits, guarded=guarded)
    try:
        log_in(transport, access, username, password, limits)
        with _close_after(limits.connect_s, transport):
            channel = transport.open_session(timeout=limits.connect_s)
            channel.get_pty(term="dumb", width=_WIDTH, height=_HEIGHT)
            channel.invoke_shell()
    except RemediateError:
        transport.close()
        raise
    except Exception as error:  # paramiko raises here whatever the transport's thread ended with
        transport.close()
        raise ObservationError(f"The shell of {access.address} could not be opened: {describe_failure(error)}.") from error
    except BaseException:
        transport.close()
        raise
    return channel


@contextmanager
def _close_after(seconds: float, transport: paramiko.Transport) -> Iterator[None]:
    """Close `transport` after `seconds`, unless the block ends before.

    paramiko waits for the answer to a request without end.
    """
    timer = threading.Timer(seconds, transport.close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _connect_recognised(access: PeerAccess, check: HostKeyCheck, limits: Limits, *, guarded: bool) -> paramiko.Transport:
    """Return a connection whose host key is accepted.

    A peer has a key of each type: each type is requested before the error that none matches.
    """
    presented: dict[str, str] = {}
    while True:
        transport = _connect(access, limits, excluded=tuple(presented), guarded=guarded)
        if transport is None:
            break
        key = transport.get_remote_server_key()
        if check.accepts(key):
            return transport
        transport.close()
        if check.revokes(key):
            # An attacker with a stolen key may present others, too: no other key of this peer is tried.
            raise PinMismatch(
                f"The SSH host key of {access.address}, {key.fingerprint}, is marked @revoked in {check.description}.",
                next_step="Someone else may hold this key. Give the peer a new one, verify it out of band, and pin it.",
            )
        if key.get_name() in presented:
            break
        presented[key.get_name()] = key.fingerprint
    raise PinMismatch(
        f"The SSH host key of {access.address} is not {check.description}: it presents {', '.join(presented.values())}.",
        next_step=None
        if check.pins
        else "Verify this host key out of band and put it in the inventory as `ssh: {host_key: …}`; `doctor --pins` prints that line.",
    )


def read_host_keys(access: PeerAccess, limits: Limits) -> tuple[str, ...]:
    """Return the fingerprint of the key of each type that a peer presents, the preferred type first. No login is tried.

    Raises:
        ObservationError: The peer cannot be reached, or does not speak SSH.
    """
    presented: dict[str, str] = {}
    while (transport := _connect(access, limits, excluded=tuple(presented))) is not None:
        key = transport.get_remote_server_key()
        transport.close()
        if key.get_name() in presented:
            break
        presented[key.get_name()] = key.fingerprint
    return tuple(presented.values())


def _connect(
    access: PeerAccess, limits: Limits, excluded: tuple[str, ...], *, guarded: bool = False
) -> paramiko.Transport | None:
    """Connect and exchange keys; return None when the server has no key of a type other than `excluded`."""
    try:
        transport = paramiko.Transport(connect(access.address, access.ssh_port, limits.connect_s, guarded=guarded))
    except OSError as error:
        raise ObservationError(
            f"SSH on {host_and_port(access.address, access.ssh_port)} cannot be reached: {describe_failure(error)}."
        ) from error
    try:
        transport.banner_timeout = transport.auth_timeout = transport.handshake_timeout = limits.connect_s
        options = transport.get_security_options()
        options.key_types = [algorithm for algorithm in options.key_types if _key_type(algorithm) not in excluded]
        transport.start_client(timeout=limits.connect_s)
    except Exception as error:  # as in open_shell
        transport.close()
        if excluded and isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return None
        raise ObservationError(
            f"{host_and_port(access.address, access.ssh_port)} does not complete the SSH handshake: {describe_failure(error)}."
        ) from error
    return transport


def _key_type(algorithm: str) -> str:
    """Return the type of key behind a signature algorithm.

    RSA keys sign in several ways (RFC 8332).
    """
    return "ssh-rsa" if algorithm.startswith("rsa-sha2") else algorithm
