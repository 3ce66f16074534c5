"""The caches of parsed certificates, which planning shares from one cluster to the next."""

from __future__ import annotations

from remediate.openssl.openssl111 import traits_of
from remediate.openssl.x509 import x509
from remediate.planner.solver.candidates import common_name_group
from remediate.trust.openssl import common_name, dns_names, key_info, name_hashes
from remediate.trust.underlying_fault import forget_faults

_MAX_CERTIFICATES = 2_048


def forget_certificates(at_most: int = _MAX_CERTIFICATES) -> None:
    """Clear the caches of certificates if they hold more than `at_most`: the next cluster has others."""
    if x509.cache_info().currsize <= at_most:
        return
    forget_faults()
    for function in (common_name_group, key_info, dns_names, common_name, name_hashes, traits_of, x509):
        function.cache_clear()
