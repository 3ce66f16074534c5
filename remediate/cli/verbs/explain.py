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

    from remediate.model.certificate import Certificate
    from remediate.model.verdict import Verdict
    from remediate.report.chain import Link


@click.command()
@option("--chain", "chain_path", type=PATH, required=True, metavar="PEM", help="What the server presents, leaf first.")
@option("--store", "store_path", type=PATH, required=True, metavar="PEM", help="The peer's trusted CA list, in its order.")
@option("--address", required=True, metavar="NAME", help="The connection address: the name or IP address that clients use.")
@option("--at", metavar="TIME", help="Judge at this moment, such as 2026-11-23T10:00:00Z; now if left out.")
@common
@click.pass_obj
def command(session: Session, chain_path: Path, store_path: Path, address: str, at: str | None) -> int:
    """Explain one verdict offline: the chain from the leaf to the root, where it breaks, and what would mend it.

    \b
    EXAMPLES
      remediate explain --chain presented.pem --store trusted.pem --address cucm.example.test
      remediate explain --chain presented.pem --store trusted.pem --address 10.0.0.5 --json

    \b
    EXIT CODES
      0   there is a verdict, good or bad: --json says which in "ok"
      1   a file cannot be read, or holds something else than certificates
    """
    from remediate.report.chain import draw
    from remediate.trust import verify_chain

    moment = _moment(at)
    presented = _certificates(chain_path)
    if not presented:
        raise CertificateError(f"{chain_path}: there is no certificate in it.")
    trusted = _certificates(store_path)
    verdict = verify_chain(presented, trusted, address, moment)
    links = draw(presented, trusted, verdict)
    mends = () if verdict.ok else _mends(presented, trusted, address, moment)
    if session.json:
        session.write_json(_as_json(verdict, address, moment, links, mends))
    else:
        from remediate.report.drawing import show_verdict

        show_verdict(session.out(), address, verdict, links, mends or (_advice(verdict, presented[0]),))
    return 0


def _moment(text: str | None) -> datetime:
    from remediate.model.canonical import parse_rfc3339

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise UsageError(f"--at: `{text}` is not a time such as 2026-11-23T10:00:00Z.") from error


def _certificates(path: Path) -> tuple[Certificate, ...]:
    from remediate.cli.files import read_text
    from remediate.model.certificate import Certificate

    try:
        return Certificate.all_from_pem(read_text(path))
    except CertificateError as error:
        raise CertificateError(f"{path}: {error}") from error


def _mends(presented: Sequence[Certificate], trusted: Sequence[Certificate], address: str, at: datetime) -> tuple[str, ...]:
    """Each presented certificate that, added to the list, makes the verdict good: tried, not guessed."""
    from remediate.report.text import short
    from remediate.report.view import display_name
    from remediate.trust import verify_chain

    candidates = [one for one in dict.fromkeys(presented) if one not in trusted]
    helpful = [one for one in candidates if verify_chain(presented, (*trusted, one), address, at).ok]
    return tuple(f"add {display_name(one)} ({short(one.fingerprint)}) to the trusted CA list" for one in helpful)


def _advice(verdict: Verdict, leaf: Certificate) -> str:
    names = ", ".join((*leaf.san_dns, leaf.common_name))
    match verdict.cause:
        case "name-mismatch":
            return (
                f"the certificate is good for: {names or 'no name at all'}; use one of these in System > Server, or reissue it"
            )
        case "issuer-unknown":
            return f"find the certificate of the issuer, {leaf.issuer}, and try again with it in the list"
        case "expired" | "not-yet-valid":
            return "no trust helps: renew the certificate that breaks the chain"
        case _:
            return "no certificate that the server presents would mend this, not even trusted"


def _as_json(verdict: Verdict, address: str, at: datetime, links: Sequence[Link], mends: Sequence[str]) -> dict[str, Any]:
    from remediate.model.canonical import rfc3339

    chain = [
        {
            "depth": link.depth,
            "subject": link.name,
            "origin": link.origin,
            "breaks": link.breaks,
            "certificate": link.certificate.fingerprint if link.certificate else None,
        }
        for link in links
    ]
    answer = {"ok": verdict.ok, "cause": verdict.cause, "error": verdict.error, "code": verdict.code, "depth": verdict.depth}
    return {**answer, "address": address, "at": rfc3339(at), "chain": chain, "mends": list(mends)}
