"""``remediate explain``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from remediate.cli.options import PATH, common, option
from remediate.cli.session import Session
from remediate.model.errors import UsageError
from remediate.model.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remediate.model.verdict import Verdict
    from remediate.planner.advice.explain import Fixes
    from remediate.report.verdict import ChainLink
    from remediate.trust.ordering import OrderedChain


@click.command()
@option("--chain", "chain_path", type=PATH, required=True, metavar="PEM", help="What the server presents: PEM, DER or PKCS#7.")
@option("--store", "store_path", type=PATH, required=True, metavar="PEM", help="The peer's trusted CA list, in its order.")
@option("--address", required=True, metavar="NAME", help="The connection address: the name or IP address that clients use.")
@option("--at", metavar="TIME", help="Check at this time, such as 2026-11-23T10:00:00Z; default: now.")
@common
@click.pass_obj
def command(session: Session, chain_path: Path, store_path: Path, address: str, at: str | None) -> ExitCode:
    """Explain one verdict offline: the chain from the leaf to the root, where it breaks, and what would fix it.

    The verdict is the appliance's, whose OpenSSL is 1.1.1. If an OpenSSL 3.x on this machine says something else, or the same
    under another number, that is shown too ("openssl_3" in --json; null if there is none).

    A chain in another order than a server sends it is reordered first, and that is reported ("reordered" and "remarks"). So is
    an OpenSSL on this machine that fails the self-test, whose verdicts may be wrong ("remarks").

    \b
    EXAMPLES
      remediate explain --chain presented.pem --store trusted.pem --address cucm.example.test
      remediate explain --chain presented.pem --store trusted.pem --address 10.0.0.5 --json

    \b
    EXIT CODES
      0   there is a verdict, good or bad: --json says which in "ok"
      1   a file cannot be read, or is not a file of certificates
      64  --address is not a host, or --at is not a time
    """
    from remediate.cli.files import read_certificates, read_store
    from remediate.cli.observe import remind_from_journal
    from remediate.planner.advice.explain import find_fixes
    from remediate.report.verdict import draw_chain
    from remediate.trust.library import describe_failed_self_test
    from remediate.trust.openssl3 import ask_openssl_3
    from remediate.trust.ordering import order_chain
    from remediate.trust.verifier import verify_chain

    _require_host(address)
    moment = _parse_moment(at)
    ordered = order_chain(read_certificates(chain_path), address)
    presented, warning = ordered.chain, describe_failed_self_test()
    remarks = (*((warning,) if warning else ()), *_describe_order(ordered, address))
    trusted = read_store(store_path, session.say)
    verdict = verify_chain(presented, trusted, address, moment)
    links = draw_chain(presented, trusted, verdict)
    fixes = find_fixes(presented, trusted, address, moment)
    openssl_3 = ask_openssl_3(presented, trusted, moment)
    if session.json:
        beside = {"openssl_3": _openssl3_to_json(openssl_3), "reordered": ordered.reordered, "remarks": list(remarks)}
        session.write_json({**_to_json(verdict, address, moment, links, fixes), **beside})
    else:
        from remediate.report.verdict import show_verdict

        show_verdict(session.out(), address, verdict, links, fixes.advice, _describe_difference(verdict, openssl_3), remarks)
    remind_from_journal(session)
    return ExitCode.DONE


def _require_host(address: str) -> None:
    """Raise UsageError unless `address` is one host name or IP address."""
    from remediate.model.identity import host_within, is_host

    if not address.strip():
        raise UsageError("--address: is empty.", next_step="Give the name or IP address that clients use.")
    if is_host(address):
        return
    host = host_within(address)
    # A URL may hold a password before its @.
    quoted = "" if "@" in address else f" `{address}`"
    raise UsageError(
        f"--address:{quoted} is not a single host name or IP address, without scheme, port, brackets or trailing dot.",
        next_step=f"Give the host alone: --address {host}" if host else "Give the name or IP address that clients use.",
    )


def _describe_order(ordered: OrderedChain, address: str) -> tuple[str, ...]:
    """Return remarks on the order of the file, and on what may not have been intended."""
    from remediate.planner.advice.phrases import describe_certificate, describe_certificates
    from remediate.trust.hostnames import name_matches

    leaf, remarks = ordered.chain[0], []
    if ordered.reordered:
        remarks.append(
            "--chain has another order than a server sends, so it was reordered: the server's own certificate is "
            f"{describe_certificate(leaf)}."
        )
    if len(ordered.leaves) > 1:
        remarks.append(
            f"Several certificates in --chain could be the server's own ({describe_certificates(ordered.leaves)}): the first "
            "of them is checked. Give the chain of one server."
        )
    if not ordered.leaves:
        remarks.append(
            "Each certificate in --chain issued another one, so the server's own cannot be identified: the first is checked."
        )
    elif leaf.is_ca and not name_matches(leaf, address):
        remarks.append(
            f"{describe_certificate(leaf)} is a CA certificate, but is checked as the server's own: if it is not, give the "
            "chain that the server sends, its own certificate first."
        )
    return tuple(remarks)


def _parse_moment(text: str | None) -> datetime:
    from remediate.model.canonical import parse_rfc3339

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise UsageError(f"--at: `{text}` is not a time such as `2026-11-23T10:00:00Z`.") from error


def _describe_difference(verdict: Verdict, openssl_3: Verdict | None) -> str | None:
    """Return a sentence if OpenSSL 3.x and the appliance's differ on the chain, which does not include the name."""
    if openssl_3 is None or openssl_3.code == verdict.code == 0:
        return None
    if openssl_3.ok:
        return "An OpenSSL 3.x would accept this chain; the appliance's 1.1.1 does not."
    refusal = f"{openssl_3.error} (code {openssl_3.code}, at depth {openssl_3.depth})"
    if verdict.code == 0:
        return f"The chain passes on the appliance's OpenSSL 1.1.1 only; an OpenSSL 3.x says: {refusal}."
    if (openssl_3.code, openssl_3.depth) == (verdict.code, verdict.depth):
        return None
    return f"An OpenSSL 3.x refuses this chain too, but says: {refusal}."


def _openssl3_to_json(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {"ok": verdict.ok, "error": verdict.error, "code": verdict.code, "depth": verdict.depth}


def _to_json(verdict: Verdict, address: str, at: datetime, links: Sequence[ChainLink], fixes: Fixes) -> dict[str, Any]:
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
        "mends": list(fixes.list_changes),
        "advice": list(fixes.advice),
    }
