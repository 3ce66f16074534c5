"""A corpus of our own: drawn PKIs, judged by the `openssl` program that this machine has. No disagreement is allowed."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate import verify_chain
from remediate.model.certificate import Certificate
from remediate.trust.verifier import TrustedList
from tests.pki import NOW
from tests.properties.clusters import authorities, chains, readable_authorities

MANY = int(os.environ.get("REMEDIATE_EXAMPLES", "60"))


def run_openssl(presented: tuple[Certificate, ...], trusted: list[Certificate]) -> tuple[bool, int, int]:
    """(ok, code, depth) of `openssl verify`."""
    with tempfile.TemporaryDirectory() as folder:
        files = {"leaf": presented[:1], "untrusted": presented[1:], "trusted": tuple(trusted)}
        for name, certificates in files.items():
            (Path(folder) / name).write_text("".join(certificate.pem for certificate in certificates))
        command = ["openssl", "verify", "-purpose", "sslserver", "-auth_level", "1", "-verify_depth", "7"]
        command += ["-attime", str(int(NOW.timestamp())), "-no-CApath", "-no-CAstore"]
        command += ["-CAfile", "trusted"] if trusted else ["-no-CAfile"]
        command += ["-untrusted", "untrusted"] if len(presented) > 1 else []
        process = subprocess.run([*command, "leaf"], cwd=folder, capture_output=True, text=True, check=False, timeout=30)
    match = re.search(r"error (\d+) at (\d+) depth lookup", process.stderr)
    assert match or process.returncode == 0, process.stderr
    return process.returncode == 0, int(match[1]) if match else 0, int(match[2]) if match else 0


@settings(max_examples=MANY, deadline=None, suppress_health_check=list(HealthCheck))
@given(chains(0), st.lists(st.sampled_from(readable_authorities()), max_size=4, unique=True))
def test_the_openssl_program_agrees(presented: tuple[Certificate, ...], listed: list[str]) -> None:
    trusted = [authorities()[certificate].certificate for certificate in listed]
    answer = run_openssl(presented, trusted)
    result = TrustedList(trusted, as_the_appliance=False).verify(presented, NOW)
    assert (result.code == 0, {24: 79}.get(result.code, result.code), result.depth if result.code else 0) == answer
    assert verify_chain(presented, trusted, None, NOW).ok == answer[0]
