"""``remediate explain``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import CertificateError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.model.verdict import Verdict
    from remediate.planner.mending import Mending
    from remediate.report.chain import Link
    from remediate.trust.modern import Answer


@click.command()
@option("--chain", "chain_path", type=PATH, required=True, metavar="PEM", help="What the server presents, leaf first.")
@option("--store", "store_path", type=PATH, required=True, metavar="PEM", help="The peer's trusted CA list, in its order.")
@option("--address", required=True, metavar="NAME", help="The connection address: the name or IP address that clients use.")
@option("--at", metavar="TIME", help="Judge at this moment, such as 2026-11-23T10:00:00Z; now if left out.")
@common
@click.pass_obj
def command(session: Session, chain_path: Path, store_path: Path, address: str, at: str | None) -> int:
    """Explain one verdict offline: the chain from the leaf to the root, where it breaks, and what would mend it.

    The verdict is the appliance's, whose OpenSSL is 1.1.1. Where an OpenSSL 3.x on this machine says something else, or the
    same under another number, that is said beside it ("openssl_3" in --json; null where there is none to ask).

    \b
    EXAMPLES
      remediate explain --chain presented.pem --store trusted.pem --address cucm.example.test
      remediate explain --chain presented.pem --store trusted.pem --address 10.0.0.5 --json

    \b
    EXIT CODES
      0   there is a verdict, good or bad: --json says which in "ok"
      1   a file cannot be read, or holds something else than certificates
    """
    from remediate.cli.certificates import read_certificates
    from remediate.cli.observe import remind_from_journal
    from remediate.planner.mending import mending_of
    from remediate.report.chain import draw
    from remediate.trust.modern import asked_of_openssl_3
    from remediate.trust.verify import explain_chain

    if not address.strip():
        raise UsageError("--address: is empty.", next_step="Give the name or IP address that clients use.")
    moment = _moment(at)
    presented = read_certificates(chain_path)
    if not presented:
        raise CertificateError(f"{chain_path}: There is no certificate in it.")
    trusted = read_certificates(store_path)
    explained = explain_chain(presented, trusted, address, moment)
    verdict = explained.verdict
    links = draw(presented, trusted, verdict, explained.chain)
    mending = mending_of(presented, trusted, address, moment)
    other = asked_of_openssl_3(presented, trusted, moment)
    if session.json:
        session.write_json({**_as_json(verdict, address, moment, links, mending), "openssl_3": _other_as_json(other)})
    else:
        from remediate.report.drawing import show_verdict

        show_verdict(session.out(), address, verdict, links, mending.advice, _difference(verdict, other))
    remind_from_journal(session)
    return 0


def _moment(text: str | None) -> datetime:
    from remediate.model.canonical import parse_rfc3339

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise UsageError(f"--at: `{text}` is not a time such as 2026-11-23T10:00:00Z.") from error


def _difference(verdict: Verdict, other: Answer | None) -> str | None:
    """A sentence where OpenSSL 3.x and the appliance's differ on the chain; the name is no matter of OpenSSL's."""
    if other is None or other.code == verdict.code == 0:
        return None
    if other.ok:
        return "An OpenSSL 3.x would accept this chain; the appliance's 1.1.1 does not."
    said = f"{other.error} (code {other.code}, at depth {other.depth})"
    if verdict.code == 0:
        return f"The chain passes on the appliance's OpenSSL 1.1.1 only; an OpenSSL 3.x says: {said}."
    if (other.code, other.depth) == (verdict.code, verdict.depth):
        return None
    return f"An OpenSSL 3.x refuses this chain too, but says: {said}."


def _other_as_json(other: Answer | None) -> dict[str, Any] | None:
    if other is None:
        return None
    return {"ok": other.ok, "error": other.error, "code": other.code, "depth": other.depth}


def _as_json(verdict: Verdict, address: str, at: datetime, links: Sequence[Link], mending: Mending) -> dict[str, Any]:
    from remediate.model.canonical import rfc3339

    chain = [
        {
            "depth": link.depth,
            "subject": link.name,
            "origin": link.origin,
            "presented": link.presented,
            "breaks": link.breaks,
            "certificate": link.certificate.fingerprint if link.certificate else None,
        }
        for link in links
    ]
    answer = {"ok": verdict.ok, "cause": verdict.cause, "error": verdict.error, "code": verdict.code, "depth": verdict.depth}
    return {
        **answer,
        "address": address,
        "at": rfc3339(at),
        "chain": chain,
        "mends": list(mending.mends),
        "advice": list(mending.advice),
    }
