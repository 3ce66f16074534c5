"""Replication as the lab's peers do it: waited for until each has the primary's list, and a late peer named with its alarm."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from remediate.connectors.expressway.cluster import open_peers
from remediate.executor.read_back import ChangeFailed, wait_for_replication
from remediate.inventory import load
from remediate.lab import Lab
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import CipherList
from remediate.model.limits import Limits

pytestmark = pytest.mark.lab

_VALUE = CipherList("ECDHE-RSA-AES256-GCM-SHA384:EECDH")


def test_a_late_peer_is_named_with_its_alarm(tmp_path: Path) -> None:
    with Lab(tmp_path / "lab", "healthy", judge=False) as lab:
        late = lab.peers[2].address
        lab.faults.replicate_late(late, 3600)
        with open_peers(load(lab.inventory)[0], Limits(shell_quiet_s=0.05), writable=True) as opened:
            opened.peers[0].set_cipher(REVERSE_PROXY_CIPHERS, _VALUE)
            seen_on: list[str] = []

            def wait(seconds: float) -> None:
                limits = Limits(replication_s=seconds, replication_poll_s=0.1)
                wait_for_replication(
                    opened.peers,
                    REVERSE_PROXY_CIPHERS,
                    _VALUE,
                    limits=limits,
                    pause=time.sleep,
                    check=lambda: None,
                    on_seen=lambda peer: seen_on.append(peer.address),
                )

            # When it is waited for too short a time, Then the late peer is named, and its alarm
            with pytest.raises(
                ChangeFailed, match=f"{REVERSE_PROXY_CIPHERS} did not replicate from the primary to {late}"
            ) as failed:
                wait(0.5)
            assert f"{late}: alarm 20009" in str(failed.value)
            assert set(seen_on) == {peer.address for peer in lab.peers[:2]}
            # When it has caught up, Then every peer is seen to have it, and no alarm is left
            lab.cluster.replicate()
            wait(10)
        assert not any(alarm.number == "20009" for peer in lab.peers for alarm in peer.condition.raised)
