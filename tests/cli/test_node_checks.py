"""What doctor says of the other direction: whether the nodes accept the peers' own certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from remediate.lab import Lab
from tests.cli.conftest import Remediate

pytestmark = pytest.mark.lab


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (
            "refuses-peers",
            ("4 nodes refuse the peers' own certificates", "remediate plan --cucm-trust", "Then, for cup-xmpp-trust"),
        ),
        ("server-only", ("4 nodes refuse the peers' own certificates", "lacks Client Authentication")),
        ("platform-shell", ("4 nodes refuse the peers' own certificates", "remediate certificates --pem")),
        ("healthy", ("not checked whether they accept",)),
    ],
)
def test_doctor_says_what_the_nodes_say_of_the_peers(
    scenario: str, words: tuple[str, ...], remediate: Remediate, tmp_path: Path
) -> None:
    with Lab(tmp_path / "lab", scenario=scenario, judge=False) as lab:
        ended = remediate("doctor", "-i", lab.inventory, "--json", "-q")

        [cluster] = ended.document["clusters"]
        findings = [finding for finding in cluster["findings"] if finding["subject"] == "nodes"]
        assert len(findings) == 1
        assert all(word in str(findings[0]) for word in words)
        assert lab.requests.writes == ()
