"""A request as a client of Mobile and Remote Access sends it: through one peer, to one endpoint.

The target is part of the path (docs/decisions/0011-is-the-trust-in-effect.md). Every result is a value, errors included.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.tls.pinning import make_tls_check
from remediate.model.access import MraAccess
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.errors import RemediateError
from remediate.model.identity import Address, Product, is_ip
from remediate.model.limits import Limits

_PATHS_WITHOUT_LOGIN = {("cucm", 8443): "cucm-uds/version"}
"""Paths that a node serves without a login (inferred, widely used); for every other endpoint the root is requested."""


class MraClient:
    """A client of one run. Its call is `executor.ports.AskThrough`."""

    def __call__(self, access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
        """Send one request through one peer to one endpoint. Never raises RemediateError."""
        return ask_through(access, address, port, product, limits)


@contextmanager
def open_client(state_dir: Path) -> Iterator[MraClient]:
    """Yield the client of one run, whose sign-ins are counted in `state_dir`."""
    del state_dir
    yield MraClient()


def ask_through(access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
    """Return the answer that a client gets for an endpoint over `access`.

    One GET, repeated within the limits only where there was no answer; no redirect is followed. Never raises RemediateError.
    """
    domain = access.domain or _guess_domain(address)
    if domain is None:
        return ClientAnswer(
            AnswerKind.OTHER,
            f"which domain clients sign in with is not known for {address}: give `mra.domain` in the inventory",
        )
    try:
        return _classify_answer(
            _get(
                access,
                f"/{_encode_target(domain, address, port)}/{_PATHS_WITHOUT_LOGIN.get((product or '', port), '')}",
                limits,
            )
        )
    except RemediateError as error:
        return ClientAnswer(AnswerKind.NOTHING, str(error).rstrip("."))


def _get(access: MraAccess, path: str, limits: Limits) -> Answer:
    account = Account(access.login.username, access.login.password.read()) if access.login else None
    with HttpClient(access.url, access.host, access.port, make_tls_check(access.tls), limits, account=account) as client:
        return client.get(path)


def _classify_answer(answer: Answer) -> ClientAnswer:
    """Return what an answer means.

    An Expressway may send any other status itself, before it asks the node.
    """
    kind = (
        AnswerKind.REACHED
        if answer.ok
        else {502: AnswerKind.REFUSED, 401: AnswerKind.NO_LOGIN}.get(answer.status, AnswerKind.OTHER)
    )
    return ClientAnswer(kind, f"HTTP {answer.status}")


def _encode_target(domain: str, address: Address, port: int) -> str:
    """Encode the target: ``steven.lab/https/10.48.36.215/8443`` in base64, unpadded.

    Of letters, digits, dots and hyphens it never makes a slash.
    """
    return base64.b64encode(f"{domain}/https/{address}/{port}".encode()).decode().rstrip("=")


def _guess_domain(address: Address) -> str | None:
    """Return what follows the first dot of a name; None for an IP address or a bare name."""
    return None if is_ip(address) else address.partition(".")[2] or None
