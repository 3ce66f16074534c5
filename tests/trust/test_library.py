"""The library of this Python, as people are told of it."""

from __future__ import annotations

import ssl

from remediate.trust.library import describe_failed_self_test, describe_library


def test_the_library_is_named_and_passes_its_self_test() -> None:
    assert describe_library() == ssl.OPENSSL_VERSION
    assert describe_failed_self_test() is None
