"""The libraries that the tests compare with: the appliance's OpenSSL 1.1.1w, as psycopg2-binary 2.9.10 carries it."""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from remediate.openssl.libcrypto import Libcrypto, load

_CARRIED = re.compile(r"^libcrypto-[0-9a-f]+\.so\.1\.1$")


def path_of_111() -> str:
    """Return the path of the 1.1.1w inside the wheel."""
    try:
        carried = files("psycopg2-binary") or []
    except PackageNotFoundError:
        # Only there: on every other Python its absence is a broken set-up, and no reason to compare with nothing.
        if sys.version_info < (3, 14):
            raise
        pytest.skip("psycopg2-binary 2.9.10, which carries OpenSSL 1.1.1w, has no wheel for Python 3.14")
    return next(str(path.locate()) for path in carried if _CARRIED.match(path.name))


@cache
def openssl_111() -> Libcrypto:
    """Return the 1.1.1w inside the wheel; its own Python module is never imported."""
    library = load(path_of_111())
    assert library is not None
    assert library.version.startswith("OpenSSL 1.1.1w"), library.version
    return library


def path_of_35() -> str:
    """Return the path of the 3.5 that a later wheel of psycopg2-binary carries."""
    folder = Path(sys.prefix) / "openssl-3.5"
    paths = [str(path) for path in folder.rglob("libcrypto-*.so.3")]
    assert paths, f"{folder} is missing: `make setup`, `make lowest` and `make matrix` unpack it"
    return paths[0]


@cache
def openssl_35() -> Libcrypto:
    """Return the 3.5 that `make setup` unpacks beside the environment."""
    library = load(path_of_35())
    assert library is not None
    assert library.version.startswith("OpenSSL 3.5"), library.version
    return library
