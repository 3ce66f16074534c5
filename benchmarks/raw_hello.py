"""The floor of a survey: one hello, made once, sent by epoll to each ADDRESS:PORT, 256 at once, and read up to the certificates."""

from __future__ import annotations

import selectors
import socket
import sys
from functools import partial

from benchmarks.probing import print_best
from remediate.connectors.tls.handshake import Offer, make_hello

AT_ONCE = 256


def look(addresses: list[str]) -> int:
    """Return how many bytes of certificates came."""
    hello = make_hello(Offer("ECDHE+aRSA"), "node.bench")
    selector, waiting, received = selectors.DefaultSelector(), list(addresses), 0
    while waiting or selector.get_map():
        while waiting and len(selector.get_map()) < AT_ONCE:
            host, _, port = waiting.pop().rpartition(":")
            wire = socket.socket()
            wire.settimeout(0)
            wire.connect_ex((host, int(port)))
            selector.register(wire, selectors.EVENT_WRITE, (wire, bytearray()))
        for key, mask in selector.select():
            wire, data = key.data
            if mask & selectors.EVENT_WRITE:
                wire.send(hello)
                selector.modify(wire, selectors.EVENT_READ, key.data)
                continue
            data += wire.recv(65536)
            if length := _certificates_in(data):
                received += length
                selector.unregister(wire)
                wire.close()
    return received


def _certificates_in(data: bytearray) -> int:
    """Return the length of the certificates once they are whole; each message of OpenSSL is a record of its own."""
    place = 0
    while len(data) >= place + 9:
        length = int.from_bytes(data[place + 3 : place + 5], "big")
        if data[place + 5] == 11 and len(data) >= place + 5 + length:
            return length
        place += 5 + length
    return 0


if __name__ == "__main__":
    print_best(partial(look, sys.argv[1:]))
