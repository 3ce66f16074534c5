"""Trust: the verdict of a peer, by OpenSSL's verification, the traffic server's name rule and the choice by cipher list."""

from remediate.trust.chain_verifier import VerificationResult
from remediate.trust.verify import explain_chain, verify_chain

__all__ = ["VerificationResult", "explain_chain", "verify_chain"]
