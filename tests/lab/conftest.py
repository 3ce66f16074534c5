"""Labs to test, and the plainest possible clients: what the lab does is seen without the product's own connectors."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import paramiko
import pytest
import requests

from remediate.lab import Lab
from remediate.lab.state import SimulatedPeer


class RestClient:
    """A session with one peer, under its own certificate authority."""

    def __init__(self, lab: Lab, peer: SimulatedPeer) -> None:
        self._base = f"https://{peer.address}:{peer.rest_port}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(lab.directory / "pki" / "expressway-ca.pem")
        self._session.auth = lab.accounts.rest_login
        self.close = self._session.close

    def __call__(self, method: str, path: str, **more: object) -> requests.Response:
        return self._session.request(method, self._base + path, timeout=10, **more)  # type: ignore[arg-type]  # passed on as given

    def upload(self, pem: str) -> requests.Response:
        return self("POST", "/api/provisioning/certs/root", files={"file": ("ca.pem", pem)})


class ShellClient:
    """A shell on one peer: sends a line and reads until the peer is done."""

    def __init__(self, lab: Lab, peer: SimulatedPeer, password: str | None = None) -> None:
        self._transport = paramiko.Transport((peer.address, peer.ssh_port))
        self._transport.connect(username=lab.accounts.username, password=password or lab.accounts.password)
        self.host_key = self._transport.get_remote_server_key().fingerprint
        self._channel = self._transport.open_session(timeout=10)
        self._channel.settimeout(10)
        self._channel.get_pty()
        self._channel.invoke_shell()

    def __call__(self, line: str) -> str:
        """Return all that was printed; it ends with OK or an error, or where the connection broke."""
        self._channel.sendall(f"{line}\n".encode())
        printed = ""
        while not printed.rstrip("\r\n").split("\r\n")[-1].startswith(("OK", "ERROR")):
            piece = self._channel.recv(65536)
            if not piece:
                break
            printed += piece.decode()
        return printed

    def close(self) -> None:
        self._transport.close()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Lab]:
    """Yield the default scenario, with OpenSSL as the judge."""
    with Lab(tmp_path, judge=False) as lab:
        yield lab


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Yield a stack that closes what a test opens."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def rest_client(story: Lab, clients: ExitStack) -> Callable[[int], RestClient]:
    """Sessions with the peers of the story, by number from 0."""

    def open_one(peer: int) -> RestClient:
        client = RestClient(story, story.peers[peer])
        clients.callback(client.close)
        return client

    return open_one


@pytest.fixture
def shell(story: Lab, clients: ExitStack) -> Callable[[int], ShellClient]:
    """Shells on the peers of the story, by number from 0."""

    def open_one(peer: int) -> ShellClient:
        client = ShellClient(story, story.peers[peer])
        clients.callback(client.close)
        return client

    return open_one


@pytest.fixture
def unverified() -> ssl.SSLContext:
    """Return a TLS client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
