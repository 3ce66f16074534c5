"""Small servers on loopback, each of which misbehaves in its own way."""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from tests.pki import Entity, issue

LONG = timedelta(days=365 * 60)
Talk = Callable[[socket.socket], None]


def server_identity(name: str = "node.example.test", family: str = "rsa", issuer: Entity | None = None) -> Entity:
    """Issue a server certificate that stays valid for a long time."""
    return issue(name, issuer, names=(name,), family=family, lasts=LONG, key_name=f"server/{family}")


@contextmanager
def tcp_server(talk: Talk, host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Accept connections, hand each to `talk` in a thread of its own, and yield the port; 0 stands for a free one."""
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=128) as listener:
        threading.Thread(target=_accept, args=(listener, talk), daemon=True).start()
        yield listener.getsockname()[1]
        # A close alone would leave the thread in accept().
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, talk: Talk) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, talk), daemon=True).start()


def _serve(connection: socket.socket, talk: Talk) -> None:
    with connection:
        connection.settimeout(10)
        try:
            talk(connection)
        except OSError:
            return


def tls_context(*identities: Entity, chain: tuple[Entity, ...] = (), ciphers: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """Return a server that follows the client's cipher order, TLS 1.2 only unless changed, with these certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for identity in identities:
        key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "identity.pem"
            path.write_text(key + identity.certificate.pem + "".join(above.certificate.pem for above in chain))
            context.load_cert_chain(path)
    return context


def tls_talk(context: ssl.SSLContext, talk: Talk = lambda _connection: None) -> Talk:
    """Shake hands, then `talk`."""

    def run(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            talk(secured)

    return run


def https_talk(context: ssl.SSLContext, *answers: bytes, requests: list[bytes] | None = None) -> Talk:
    """Answer the requests of all connections in order, the last answer again and again; an empty one closes the connection."""
    waiting = list(answers)
    one_at_a_time = threading.Lock()

    def talk(connection: socket.socket) -> None:
        while request := _request(connection):
            with one_at_a_time:
                if requests is not None:
                    requests.append(request)
                answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            if not answer:
                return
            connection.sendall(answer)

    return tls_talk(context, talk)


Answers = dict[str, list[bytes]]
"""``GET /path`` to the answers to it: one after the other, the last for ever."""


def routed_talk(context: ssl.SSLContext, answers: Answers, requests: list[bytes]) -> Talk:
    """Answer each request by its method and path; 404 to those that `answers` does not name."""

    def talk(connection: socket.socket) -> None:
        while request := _request(connection):
            requests.append(request)
            waiting = answers.get(" ".join(request.decode(errors="replace").split(" ", 2)[:2]), [http(404)])
            connection.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return tls_talk(context, talk)


def https_answering(context: ssl.SSLContext, answer: Callable[[bytes], bytes]) -> Talk:
    """Answer each request with the result of `answer`."""

    def talk(connection: socket.socket) -> None:
        while request := _request(connection):
            connection.sendall(answer(request))

    return tls_talk(context, talk)


def _request(connection: socket.socket) -> bytes:
    """Return one HTTP request; nothing at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(status: int, body: str = "", *headers: str) -> bytes:
    """Return one HTTP answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body.encode())}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class ScriptedShell(paramiko.ServerInterface):
    """An SSH server whose shell runs `script`, called with the channel once the shell is requested."""

    host_key = paramiko.RSAKey.generate(2048)

    def __init__(self, script: Callable[[paramiko.Channel], None], password: str) -> None:
        self._script, self._password = script, password

    def check_auth_password(self, username: str, password: str) -> int:
        del username
        return AUTH_SUCCESSFUL if password == self._password else AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        del username
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        del kind, chanid
        return OPEN_SUCCEEDED

    def check_channel_pty_request(self, channel: paramiko.Channel, *more: object) -> bool:
        del channel, more
        return True

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        threading.Thread(target=self._run, args=(channel,), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel) -> None:
        try:
            self._script(channel)
        except (OSError, EOFError):
            return


def ssh_talk(script: Callable[[paramiko.Channel], None], password: str) -> Talk:
    """Speak SSH, with a shell that runs `script`."""

    def talk(connection: socket.socket) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(ScriptedShell.host_key)
        try:
            transport.start_server(server=ScriptedShell(script, password))
            transport.join(20)
        except (paramiko.SSHException, EOFError):
            return
        finally:
            transport.close()

    return talk


def typed_lines(channel: paramiko.Channel) -> Iterator[str]:
    """Yield the lines that a client types."""
    waiting = ""
    while piece := channel.recv(1024):
        waiting += piece.decode()
        *lines, waiting = waiting.split("\n")
        yield from lines
