"""DNS server on loopback that knows the lab's nodes, since the traffic server reads a hosts file too late."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable

from remediate.lab.verdict import Target

_PORT = 5353
_TYPE_A = 1
_NO_SUCH_NAME = 3


class NameServer:
    """Server of A queries (RFC 1035, section 4) over UDP; every other type gets an empty answer."""

    def __init__(self, address: str, targets: Iterable[Target]) -> None:
        self.address = f"{address}:{_PORT}"
        self._addresses = {target.address.lower(): socket.inet_aton(target.connect_to) for target in targets}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, _PORT))
        self._thread = threading.Thread(target=self._serve, name="lab-dns", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        # An empty datagram wakes the thread; closing the socket alone would leave it in recvfrom().
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            answer = answer_query(query, self._addresses)
            if answer:
                self._socket.sendto(answer, client)


def answer_query(query: bytes, addresses: dict[str, bytes]) -> bytes | None:
    """Return the answer to a DNS query with one question; None if it is not such a query."""
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", errors="replace"))
        at += 1 + query[at]
    question = query[12 : at + 5]
    if len(question) < 5 or len(query) < at + 5:
        return None
    kind = struct.unpack(">H", question[-4:-2])[0]
    address = addresses.get(".".join(labels).lower())
    answer = b"\xc0\x0c" + struct.pack(">HHIH", _TYPE_A, 1, 60, 4) + address if address and kind == _TYPE_A else b""
    flags = 0x8580 | (0 if address else _NO_SUCH_NAME)
    return query[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0) + question + answer
