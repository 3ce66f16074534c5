"""Forms of requests and answers of Mobile and Remote Access: paths, the session cookie, and the meaning of a status."""

from __future__ import annotations

import base64
import re
from http import HTTPStatus

from remediate.connectors.http import Answer
from remediate.connectors.unexpected_answer import describe_body, is_html
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.identity import Address, Product, is_ip
from remediate.model.masking import remember
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape

SESSION_COOKIE = "X-Auth"

_SIGN_IN = "get_edge_config?service_name=_cisco-uds&service_name=_cuplogin"
"""As Jabber asks (Cisco, TAC article 117811)."""
_VERSION = "cucm-uds/version"
_PATHS_WITHOUT_LOGIN = {("cucm", 8443): _VERSION}
"""Paths that a node serves without a login (inferred, widely used); for every other endpoint the root is requested."""
_KINDS = {
    401: AnswerKind.NO_LOGIN,
    403: AnswerKind.FORBIDDEN,
    429: AnswerKind.RATE_LIMITED,
    502: AnswerKind.REFUSED,
}
_MAX_QUOTED_CHARACTERS = 80
_MIN_MASKED_CHARACTERS = 8
# RFC 6265, 4.1.1: a token, and what a value may have. Nothing in it ends a header.
_COOKIE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+)")


def sign_in_path(domain: str) -> str:
    """Return the path of the request that signs a client in."""
    return f"/{_encode(domain)}/{_SIGN_IN}"


def request_path(domain: str, address: Address, port: int, product: Product | None) -> str:
    """Return the path of a request to an endpoint: its target, ``steven.lab/https/10.48.36.215/8443`` in base64, and what it asks."""
    return f"/{_encode(f'{domain}/https/{address}/{port}')}/{_PATHS_WITHOUT_LOGIN.get((product or '', port), '')}"


def guess_domain(address: Address) -> str | None:
    """Return what follows the first dot of a name; None for an IP address or a bare name."""
    return None if is_ip(address) else address.partition(".")[2] or None


def read_session(answer: Answer, max_bytes: int) -> Secret | str:
    """Return the session cookie of an answer to a sign-in, as it is sent back; or why there is none that can be."""
    for line in answer.cookies:
        pair = line.partition(";")[0].strip()
        if not pair.lower().startswith(f"{SESSION_COOKIE}=".lower()):
            continue
        if len(pair) > max_bytes:
            return f"its session cookie is larger than {max_bytes} bytes"
        if not _COOKIE.fullmatch(pair):
            return "its session cookie has characters that no cookie may have"
        value = pair.partition("=")[2]
        if len(value) >= _MIN_MASKED_CHARACTERS:
            # The value alone is masked too, wherever a system repeats it. A short one would be masked in any text.
            remember(value)
        return Secret(pair)
    body = f"{describe_body(answer.text)} and " if is_html(answer.text) else ""
    return f"{body}no session cookie ({SESSION_COOKIE})"


def classify(answer: Answer, path: str = "") -> ClientAnswer:
    """Return what an answer means. Any status but 2xx may come from an Expressway, before it asked the node."""
    reason, server = (mask_and_escape(text, _MAX_QUOTED_CHARACTERS) for text in (answer.reason, answer.server))
    detail = f"HTTP {answer.status}"
    if answer.ok and path.endswith(_VERSION) and is_html(answer.text):
        return ClientAnswer(
            AnswerKind.OTHER, f"{detail}, {describe_body(answer.text)} in the place of the version", reason, server
        )
    kind = AnswerKind.REACHED if answer.ok else _KINDS.get(answer.status, AnswerKind.OTHER)
    is_telling = kind is AnswerKind.REFUSED and reason.casefold() not in {"", HTTPStatus.BAD_GATEWAY.phrase.casefold()}
    return ClientAnswer(kind, f"{detail} {reason}" if is_telling else detail, reason, server)


def _encode(text: str) -> str:
    """Encode in base64, unpadded. Of letters, digits, dots, slashes and hyphens it never makes a slash."""
    return base64.b64encode(text.encode()).decode().rstrip("=")
