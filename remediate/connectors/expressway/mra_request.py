"""A request as a client of Mobile and Remote Access sends it: through one peer, to one endpoint.

The target stands in the path (docs/decisions/0011-is-the-trust-in-effect.md). What comes back is a value, whatever goes wrong.
"""

from __future__ import annotations

import base64

from remediate.connectors.http import Account, Answer, HttpClient
from remediate.connectors.tls.pinning import check_for
from remediate.model.access import MraAccess
from remediate.model.client import ClientAnswer, Got
from remediate.model.errors import RemediateError
from remediate.model.identity import Address, Product, is_ip
from remediate.model.limits import Limits

_NEEDS_NO_LOGIN = {("cucm", 8443): "cucm-uds/version"}
"""What a node answers to everybody (inferred, widely used); elsewhere the root is asked for."""


def ask_through(way: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
    """Return what a client gets that asks for an endpoint over `way`.

    One GET, asked again within the limits only where no answer came; no redirect is followed. Never raises RemediateError.
    """
    domain = way.domain or _domain_of(address)
    if domain is None:
        return ClientAnswer(
            Got.OTHER, f"which domain clients sign in with is not known for {address}: give `mra.domain` in the inventory"
        )
    try:
        return _meaning(
            _get(way, f"/{_target(domain, address, port)}/{_NEEDS_NO_LOGIN.get((product or '', port), '')}", limits)
        )
    except RemediateError as error:
        return ClientAnswer(Got.NOTHING, str(error).rstrip("."))


def _get(way: MraAccess, path: str, limits: Limits) -> Answer:
    account = Account(way.login.username, way.login.password.read()) if way.login else None
    with HttpClient(way.url, way.host, way.port, check_for(way.tls), limits, account=account) as client:
        return client.get(path)


def _meaning(answer: Answer) -> ClientAnswer:
    """An Expressway may answer any other status itself, before it goes to the node."""
    kind = Got.REACHED if answer.ok else {502: Got.REFUSED, 401: Got.NO_LOGIN}.get(answer.status, Got.OTHER)
    return ClientAnswer(kind, f"HTTP {answer.status}")


def _target(domain: str, address: Address, port: int) -> str:
    """``steven.lab/https/10.48.36.215/8443`` in base64, unpadded. Of letters, digits, dots and hyphens it never makes a slash."""
    return base64.b64encode(f"{domain}/https/{address}/{port}".encode()).decode().rstrip("=")


def _domain_of(address: Address) -> str | None:
    """What follows the first dot of a name; None where nothing does."""
    return None if is_ip(address) else address.partition(".")[2] or None
