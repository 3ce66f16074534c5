"""The OpenSSL of this Python."""

from __future__ import annotations

import ssl

from remediate.model.library import openssl


def test_the_librarys_version_is_that_of_pythons_ssl() -> None:
    assert openssl().version.startswith("OpenSSL 3.")
    assert openssl().version.split()[1] == ssl.OPENSSL_VERSION.split()[1]
