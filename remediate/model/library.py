"""The OpenSSL that reads certificates and answers for the appliance."""

from __future__ import annotations

from remediate.model.errors import RemediateError
from remediate.openssl.libcrypto import Libcrypto, NoLibraryError, default_libcrypto


def openssl() -> Libcrypto:
    """Return the library of this Python.

    Raises:
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    try:
        return default_libcrypto()
    except NoLibraryError:
        raise RemediateError(
            "No OpenSSL libcrypto can be loaded on this machine, so no verdict can be given.",
            next_step="Install Debian's libssl3 (or your system's OpenSSL package), or use a Python that links OpenSSL dynamically.",
        ) from None
