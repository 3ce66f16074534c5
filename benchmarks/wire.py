"""The wire of the benchmarks: servers in C, and in front of them a relay of ours in user space, which makes each byte late.

Both are processes of their own, whose CPU seconds are in no figure of a client. On few cores, walls are longer for their sake.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.fleet import KEYS
from remediate.model.certificate import Certificate

HERE = Path(__file__).parent


@dataclass(slots=True)
class Helper:
    """A process beside the client.

    Attributes:
        cpu_s: What it spent; 0 until it has ended.
    """

    cpu_s: float = 0.0


def compile_programs(folder: Path) -> tuple[Path, Path] | None:
    """Return the programs `handshakes` and `relay`, compiled; None without a compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    programs = folder / "handshakes", folder / "relay"
    for program in programs:
        source = HERE / f"{program.name}.c"
        subprocess.run([compiler, "-O2", "-o", program, source, "-lssl", "-lcrypto"], check=True)
    return programs


def write_identity(path: Path, chain: Sequence[Certificate], family: str) -> Path:
    """Write a chain and the key of its leaf to `path`, and return it."""
    key = KEYS[family].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path.write_text("".join(certificate.pem for certificate in chain) + key)
    return path


@contextmanager
def serve(program: Path, pairs: Sequence[tuple[Path, Path]], addresses: Sequence[str]) -> Iterator[Helper]:
    """Serve TLS at addresses (``host:port``), which take turns with pairs of certificates (RSA, ECDSA)."""
    files = [str(file) for pair in pairs for file in pair]
    with _run([str(program), "serve", str(len(pairs)), *files, *addresses], "") as helper:
        yield helper


@contextmanager
def relay(program: Path, round_trip_ms: float, places: Mapping[str, str]) -> Iterator[Helper]:
    """Answer at each address (``host:port``) from another one, with half a round trip in each direction."""
    lines = "".join(f"{place} {server}\n" for place, server in places.items())
    with _run([str(program), str(round_trip_ms / 2)], f"{lines}\n") as helper:
        yield helper


@contextmanager
def _run(command: list[str], lines: str) -> Iterator[Helper]:
    helper = Helper()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(lines)
        process.stdin.flush()
        assert process.stdout.readline() == "ready\n"
        yield helper
        process.stdin.close()
        helper.cpu_s = float(process.stdout.readline().split()[0])
