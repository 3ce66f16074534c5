"""How fast `diagnose` reads: logs beside ``zgrep -F`` for the same words, a capture beside ``tshark``, in one run, in CPU seconds."""

from __future__ import annotations

import base64
import random
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from remediate.connectors.evidence import gather
from remediate.connectors.evidence.log_reader import WORDS
from remediate.model.limits import Limits

LOG_MB, CAPTURE_MB = 256, 200
_DRAWN = random.Random(1)  # noqa: S311  for a log, not for a secret
_OTHERS = ("tvcs", "httpd[2211]", "b2bua[88]", "licensemanager", "management")
_CAPTURE_FILTER = "tls.handshake.certificate || tls.alert_message"


def run() -> None:
    """Print rates, ratios and memory."""
    with TemporaryDirectory() as folder:
        for every in (20, 100):
            log = Path(folder) / f"log-{every}"
            with log.open("wb") as file:
                file.writelines(_log_lines(LOG_MB, every))
            print(f"reading a log, 1 line in {every} the traffic server's: {_rate_of_ours(log, LOG_MB):,.0f} MB/s")
        _compare_archive(Path(folder), log)
        _compare_capture(Path(folder))
    print(
        f"reading: {_peak_memory_mb(LOG_MB // 8)} MB of memory for {LOG_MB // 8} MB of log, {_peak_memory_mb(LOG_MB)} MB for {LOG_MB}"
    )


def _compare_archive(folder: Path, log: Path) -> None:
    archive = folder / "log.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=6) as file:
        file.add(log, "loggingsnapshot_expc1.txt")
    ours = _rate_of_ours(archive, LOG_MB)
    words = [option for word in WORDS for option in ("-e", word.decode())]
    theirs = LOG_MB / _cpu_of_child(["zgrep", "-c", "-F", *words, str(archive)])
    print(f"reading the same in a .tar.gz: {ours:,.0f} MB/s, zgrep -F {theirs:,.0f} MB/s, ratio {ours / theirs:.2f}")


def _compare_capture(folder: Path) -> None:
    capture = folder / "capture.pcap"
    with capture.open("wb") as file:
        file.writelines(_packets(CAPTURE_MB))
    ours = _rate_of_ours(capture, CAPTURE_MB)
    if not shutil.which("tshark"):
        print(f"reading a capture: {ours:,.0f} MB/s (tshark is not installed)")
        return
    fields = ["-T", "fields", "-e", "frame.number"]
    theirs = CAPTURE_MB / _cpu_of_child(["tshark", "-r", str(capture), "-Y", _CAPTURE_FILTER, *fields])
    print(f"reading a capture: {ours:,.0f} MB/s, tshark {theirs:,.0f} MB/s, ratio {ours / theirs:.2f}")


def _rate_of_ours(path: Path, megabytes: int) -> float:
    started = time.process_time()
    gather([path], Limits())
    return megabytes / (time.process_time() - started)


def _cpu_of_child(command: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _peak_memory_mb(megabytes: int) -> int:
    """Return the peak of a process of its own that reads so much log."""
    program = (
        "import sys; from pathlib import Path; from remediate.connectors.evidence import gather; "
        "from remediate.model.limits import Limits; gather([Path(sys.argv[1])], Limits()); "
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM:')))"
    )
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as file:
            file.writelines(_log_lines(megabytes, 100))
        ended = subprocess.run([sys.executable, "-c", program, str(log)], check=True, stdout=subprocess.PIPE, text=True)
    return int(ended.stdout) // 1024


def _log_lines(megabytes: int, every: int) -> Iterator[bytes]:
    """Yield blocks of lines of a diagnostic log, one in `every` of them the traffic server's."""
    block = b"".join(_traffic_server_line(n) if n % every == 0 else _other_line(n) for n in range(20_000))
    for _ in range(megabytes * 1_000_000 // len(block)):
        yield block


def _other_line(number: int) -> bytes:
    process, node = _DRAWN.choice(_OTHERS), f"10.20.{_DRAWN.randrange(256)}.{number % 256}"
    kinds = (
        f'Detail="Sending Request" Method="OPTIONS" Request-URI="sip:{number}@corp.example;transport=tls" Call-ID="{number:x}@{node}"',
        f'Detail="Processing" Node="{node}" Session="{_DRAWN.randrange(1 << 90):x}" Elapsed="{number % 997}" Reason="keepalive"',
        f'<presence><tuple id="t{number}"><status><basic>open</basic></status></tuple></presence> name="user{number}"',
    )
    text = f'Module="network.sip" Level="INFO" {_DRAWN.choice(kinds)}'
    return f'2026-11-20T10:00:{number % 60:02}.000+01:00 expc1 {process}: UTCTime="2026-11-20 09:00:00,000" {text}\n'.encode()


def _traffic_server_line(number: int) -> bytes:
    module = 'Module="network.http.trafficserver" Level="INFO": '
    target = base64.b64encode(f"corp.example/https/cucm{number % 9}.corp.example/8443".encode()).decode().rstrip("=")
    transaction = f'Txn-id="{number // 400}" TrackingID=""'
    texts = (
        f'{module}Detail="Receive Request" {transaction} Src-ip="127.0.0.1" Src-port="35" Msg="GET http://c:8443/{target}/a HTTP/1.1"',
        f'{module}Detail="Sending Request" {transaction} Dst-ip="10.48.36.215" Dst-port="8443" Msg="GET /a HTTP/1.1"',
        f'{module}Detail="Receive Response" {transaction} Src-ip="10.48.36.215" Src-port="8443" Msg="HTTP/1.1 200 "',
        f'{module}Detail="Sending Response" {transaction} Dst-ip="127.0.0.1" Dst-port="35" Msg="HTTP/1.1 200 "',
    )
    refusal = (
        "[ET_NET 1] WARNING: Core server certificate verification failed for (cucm1.corp.example). Action=Terminate Error=self signed "
        "certificate server=cucm1.corp.example(10.20.1.11) depth=0"
    )
    text = refusal if _DRAWN.random() < 0.02 else texts[number // 100 % 4]
    return f"2026-11-20T10:00:{number % 60:02}.000+01:00 expc1 traffic_server[99]: {text}\n".encode()


def _packets(megabytes: int) -> Iterator[bytes]:
    """Yield a capture: connections of application data over TLS between many media packets, in pcap."""
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)
    size = number = 0
    while size < megabytes * 1_000_000:
        number += 1
        packet = _packet(number, tcp=number % 5 < 3)
        size += len(packet)
        yield packet


def _packet(number: int, *, tcp: bool) -> bytes:
    connection = number // 90
    addresses = struct.pack("!II", 0x0A010000 + connection % 5_000, 0x0A3024D7)
    if tcp:
        record = b"\x17\x03\x03" + struct.pack("!H", 1_395) + bytes(1_395)
        content = (
            struct.pack("!HHIIBBHHH", 30_000 + connection % 20_000, 8443, number % 90 * 1_400, 1, 0x50, 0x18, 64, 0, 0) + record
        )
    else:
        content = struct.pack("!HHHH", 20_000, 20_002, 180, 0) + bytes(172)
    protocol = 6 if tcp else 17
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(content), 0, 0, 64, protocol, 0) + addresses + content
    frame = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip
    return struct.pack("<IIII", 1_795_000_000 + number // 1_000, number % 1_000, len(frame), len(frame)) + frame
