"""Servers of the lab's Expressway-Es: they listen whatever becomes of the peers behind them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from remediate.lab.front import FRONT_PORT, Front
from remediate.lab.nodes import write_private
from remediate.lab.pki import Identity, issue_for_peer
from remediate.lab.servers import Background, Listener, open_listening_socket
from remediate.lab.state import SimulatedPeer

_BEFORE_BAN_S = 0.02


class Edge:
    """One Expressway-E: its front and its server.

    On loopback all clients have one address, so a ban is for everybody: connections are accepted by the system, and no handshake is
    ever answered, as for a client whose packets are dropped.

    Attributes:
        front: What it does with requests.
        name: Its host name.
        fingerprint: That of its certificate.
    """

    def __init__(self, front: Front, name: str, identity: Identity, private: Path, background: Background) -> None:
        """Prepare an edge; nothing listens yet. Its key is written into the folder `private`."""
        path = private / f"{name}.pem"
        write_private(path, identity.pem_with_key)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(path)
        self.front, self.name, self.fingerprint = front, name, identity.certificate.fingerprint
        self._background = background
        self._listener = Listener(front.app(), front.address, (FRONT_PORT,), tls, names_server=True)
        self._silence: asyncio.Task[None] | None = None
        self._answers_nothing = False
        front.ban = self.ban

    @property
    def url(self) -> str:
        """Where clients come in, as an inventory has it."""
        return f"https://{self.front.address}:{FRONT_PORT}"

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        await self._listener.start()

    async def stop(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._silence:
            self._silence.cancel()
            await asyncio.gather(self._silence, return_exceptions=True)
        await self._listener.stop()

    @property
    def is_silent(self) -> bool:
        """Whether it bans its clients now, and no connection finds the server of before any more."""
        return self._answers_nothing

    def ban(self, seconds: float) -> None:
        """Be silent for so many seconds, after the present answer went out."""
        self._background.later(_BEFORE_BAN_S, lambda: self._begin_silence(seconds))

    def lift_ban(self) -> None:
        """Answer again."""
        if self._silence:
            self._background.run(self._end_silence(self._silence))

    def _begin_silence(self, seconds: float) -> None:
        if self._silence is None or self._silence.done():
            self._silence = self._background.loop.create_task(self._be_silent(seconds))

    async def _be_silent(self, seconds: float) -> None:
        await self._listener.stop()
        with open_listening_socket(self.front.address, FRONT_PORT):
            self._answers_nothing = True
            await asyncio.sleep(seconds)
        await self._listener.start()
        self._answers_nothing = False

    async def _end_silence(self, silence: asyncio.Task[None]) -> None:
        was_silent = not silence.done()
        silence.cancel()
        await asyncio.gather(silence, return_exceptions=True)
        if was_silent:
            await self._listener.start()
        self._answers_nothing = False


def build_edges(
    peers: Sequence[SimulatedPeer],
    addresses: Sequence[str],
    make_front: Callable[[str, tuple[SimulatedPeer, ...]], Front],
    private: Path,
    background: Background,
    *,
    shared: bool,
) -> tuple[Edge, ...]:
    """Return one Expressway-E for each peer, or one for all, not yet started."""
    groups = [tuple(peers)] if shared else [(peer,) for peer in peers]
    edges: list[Edge] = []
    for number, (group, address) in enumerate(zip(groups, addresses, strict=False), start=1):
        name = f"expe{number}.steven.lab"
        edges.append(Edge(make_front(address, group), name, issue_for_peer(name, address), private, background))
    return tuple(edges)
