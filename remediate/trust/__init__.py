"""What a peer would say: OpenSSL's verdict, the traffic server's name rule, which certificate a cipher list brings up."""

from remediate.trust.verify import Explained, explain_chain, verify_chain

__all__ = ["Explained", "explain_chain", "verify_chain"]
