"""The OpenSSL of this Python, and its known faults."""

from __future__ import annotations

from remediate.model.library import openssl
from remediate.openssl.selftest import default_failures


def describe_library() -> str:
    """Return the library's name and version, such as ``OpenSSL 3.0.19 27 Jan 2026``.

    Raises:
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    return openssl().version


def describe_failed_self_test() -> str | None:
    """Return what the library judges otherwise than the appliance's 1.1.1, as two sentences; None where nothing is wrong.

    Raises:
        RemediateError: No OpenSSL can be loaded on this machine.
    """
    library = describe_library()
    if failures := default_failures():
        return (
            f"The OpenSSL of this Python ({library}) does not behave as the appliance's 1.1.1 does, so verdicts here may be "
            f"wrong. It fails the self-test on: {'; '.join(failures)}."
        )
    return None
