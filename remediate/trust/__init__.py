"""Trust: the verdict of a peer, by OpenSSL's verification, the traffic server's name rule and the choice by cipher list."""

from remediate.trust.verifier import verify_chain

__all__ = ["verify_chain"]
