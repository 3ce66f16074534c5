"""Accounts of a lab, and HTTP Basic authentication."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Accounts:
    """User names, and passwords made for this lab.

    Attributes:
        username: The administrator of the peers, for the shell, and for REST unless there is a `rest_username`.
        rest_username: Another account for REST; empty: there is none.
        axl_username: The application user of Unified CM and IM&P.
        platform_username: The operating system account of the nodes.
        mra_username: A user of Mobile and Remote Access, who signs in to the Expressway-E.
        witness_username: Another one, with which the lab itself asks.
    """

    username: str = "admin"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    rest_username: str = ""
    rest_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    axl_username: str = "axl"
    axl_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    platform_username: str = "ccmadmin"
    platform_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    mra_username: str = "probe"
    mra_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    witness_username: str = "witness"
    witness_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)

    @property
    def rest_login(self) -> tuple[str, str]:
        """User name and password that REST takes."""
        return (self.rest_username, self.rest_password) if self.rest_username else (self.username, self.password)


def basic_login(header: bytes) -> tuple[str, str] | None:
    """Return user name and password of a Basic ``Authorization`` header; None for any other header."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password
