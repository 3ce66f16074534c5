"""What would be done, peer by peer: certificates of one list under one line, peers alike together."""

from __future__ import annotations

from typing import Any

from remediate.report.planned_changes import describe_changes, make_planned_change

PEERS = ("expc1", "expc2", "expc3")


def removal(peer: str, name: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return f"Would remove CN={name} from the trusted CA list of {peer}.", {
        "peer": peer,
        "change": "remove-certificate",
        "certificate": f"sha256:{name[0] * 64}",
        "subject": f"CN={name}",
        "common_name": name,
        **fields,
    }


def lines_of(*events: tuple[str, dict[str, Any]], limit: int | None = None) -> list[str]:
    return [
        f"{'  ' * line.depth}{line.text}" for line in describe_changes((make_planned_change(*event) for event in events), limit)
    ]


def test_peers_with_the_same_changes_stand_together() -> None:
    changes = [removal(peer, name) for peer in PEERS for name in ("alpha", "beta") if (peer, name) != ("expc3", "beta")]

    assert lines_of(*changes) == [
        "expc1, expc2:",
        "  2 certificates to remove:",
        "    alpha (sha256:aaaaaaaa…aaaaaa)",
        "    beta (sha256:bbbbbbbb…bbbbbb)",
        "expc3:",
        "  1 certificate to remove:",
        "    alpha (sha256:aaaaaaaa…aaaaaa)",
    ]


def test_of_many_certificates_a_question_names_the_first() -> None:
    assert lines_of(*(removal("expc1", name) for name in "abcde"), limit=2)[2:] == [
        "    a (sha256:aaaaaaaa…aaaaaa)",
        "    b (sha256:bbbbbbbb…bbbbbb)",
        "    and 3 more",
    ]


def test_without_a_common_name_a_certificate_has_its_subject() -> None:
    assert lines_of(removal("expc1", "x", common_name=""))[2] == "    CN=x (sha256:xxxxxxxx…xxxxxx)"


def test_other_changes_are_sentences_without_their_peer() -> None:
    cipher = ("Would set ReverseProxyTLSCiphers on expc1.", {"peer": "expc1", "change": "set-ciphers"})

    assert lines_of(cipher, ("Would back up 3 peers.", {})) == [
        "expc1:",
        "  Would set ReverseProxyTLSCiphers.",
        "The run as a whole:",
        "  Would back up 3 peers.",
    ]


def test_a_name_of_others_cannot_steer_a_terminal() -> None:
    assert "\x1b" not in "".join(lines_of(removal("expc1", "a\x1b[2J")))
