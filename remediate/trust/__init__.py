"""What a peer would say: OpenSSL's verdict, the traffic server's name rule, which certificate a cipher list brings up."""

from remediate.trust.chain_verifier import VerificationResult
from remediate.trust.verify import explain_chain, verify_chain

__all__ = ["VerificationResult", "explain_chain", "verify_chain"]
