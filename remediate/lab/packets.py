"""Capture of what the peers' traffic servers say to the nodes: packets of the loopback interface, where this user may see them."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

_ALL_PROTOCOLS = 0x0003  # linux/if_ether.h: ETH_P_ALL
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h
_BUFFER = 32 * 1024 * 1024
_SNAPSHOT_LENGTH = 262_144
_ETHERNET = 1
_SOURCE, _DESTINATION = slice(26, 30), slice(30, 34)
_SETTLE_S = 0.2


class PacketTap:
    """Tap on the loopback interface that keeps the packets of some addresses apart."""

    def __init__(self, tap: socket.socket, addresses: Iterable[str]) -> None:
        self._tap = tap
        self._packets: dict[bytes, list[bytes]] = {socket.inet_aton(address): [] for address in addresses}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="lab-tap", daemon=True)
        self._thread.start()

    @classmethod
    def start(cls, addresses: Iterable[str]) -> PacketTap | None:
        """Begin; None where this system or this user may not capture."""
        if not hasattr(socket, "AF_PACKET"):
            return None
        try:
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        except PermissionError:
            return None
        with suppress(PermissionError):
            tap.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        tap.bind(("lo", 0))
        tap.settimeout(0.1)
        return cls(tap, addresses)

    def stop(self) -> Mapping[str, bytes]:
        """End, and return a capture file for each address."""
        time.sleep(_SETTLE_S)
        self._done.set()
        self._thread.join()
        self._tap.close()
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, _SNAPSHOT_LENGTH, _ETHERNET)
        return {socket.inet_ntoa(address): head + b"".join(packets) for address, packets in self._packets.items()}

    def _listen(self) -> None:
        while not self._done.is_set():
            try:
                frame, origin = self._tap.recvfrom(_SNAPSHOT_LENGTH)
            except TimeoutError:
                continue
            # Each packet passes the loopback interface twice, on its way out and in.
            if origin[2] == socket.PACKET_OUTGOING:
                continue
            now = time.time()
            record = struct.pack("<IIII", int(now), int(now % 1 * 1e6), len(frame), len(frame)) + frame
            for address in {frame[_SOURCE], frame[_DESTINATION]} & self._packets.keys():
                self._packets[address].append(record)
