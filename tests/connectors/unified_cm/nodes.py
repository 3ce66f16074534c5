"""A Unified CM node with a certificate of a CA and one of its own, and its answers."""

from __future__ import annotations

from contextlib import ExitStack

from remediate.connectors.tls.target import Target
from remediate.connectors.unified_cm.node import UnifiedCmNode, open_node
from remediate.model.identity import Address
from tests.connectors.servers import LONG, http, https_talk, server_identity, tcp_server, tls_context
from tests.connectors.support import QUICK
from tests.pki import issue

NODE = "node.example.test"
CA = issue("Lab Root", ca=True, lasts=LONG)
GOOD, SELF_SIGNED = server_identity(NODE, issuer=CA), server_identity(NODE, "ecdsa")


def node(stack: ExitStack, *answers: bytes, requests: list[bytes] | None = None, trusted: bool = True) -> UnifiedCmNode:
    """Open a node with these answers, under its CA or under none."""
    port = stack.enter_context(tcp_server(https_talk(tls_context(GOOD), http(404), *answers, requests=requests)))
    target = Target(Address(NODE), port, "cucm", connect_to="127.0.0.1")
    return open_node(target, (CA.certificate,) if trusted else (), QUICK)
