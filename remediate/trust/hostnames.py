"""The traffic server's name rule: is this connection address in that certificate?

Source: facts measured on a real traffic server 9.2 (docs/verdict.md, *The name*). In short: the SAN's dNSNames in order, then the
first common name, also when there is a SAN; case does not matter; an IP address is compared as text and IP SANs are never looked
at; one ``*`` in the first label, first or last in it, over at least two dots, matching within one label.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from remediate.model.certificate import Certificate
from remediate.trust.openssl import common_name, dns_names

_FIRST_PLACE_OF_A_SECOND_DOT: Final = "*.a.b".rindex(".")
_SHORTEST_ADDRESS_FOR_WILDCARDS: Final = 6
# What a wildcard may match (the traffic server's X509HostnameValidator: letters, digits, hyphen, underscore).
_ONE_LABEL: Final = re.compile(rb"[A-Za-z0-9_-]*\Z")


@lru_cache(maxsize=131_072)
def name_matches(certificate: Certificate, address: str) -> bool:
    """Return whether the traffic server finds `address` (FQDN or IP address, as text) in `certificate`."""
    try:
        encoded = address.encode()
    except UnicodeEncodeError:
        return False  # half a character, which no certificate can hold
    if any(_matches(name, encoded) for name in dns_names(certificate)):
        return True
    last_resort = common_name(certificate)
    return last_resort is not None and _matches(last_resort, encoded)


def matching_addresses(certificate: Certificate) -> tuple[str, ...]:
    """Return the names, as text, under which the traffic server accepts `certificate`, wildcards unexpanded."""
    names = (*dns_names(certificate), common_name(certificate))
    return tuple(dict.fromkeys(name.decode(errors="replace") for name in names if name))


def _matches(pattern: bytes, address: bytes) -> bool:
    # The traffic server looks for a wildcard only for addresses of more than five characters that do not begin with a dot.
    may_be_wild = len(address) >= _SHORTEST_ADDRESS_FOR_WILDCARDS and not address.startswith(b".")
    star = _wildcard_position(pattern) if may_be_wild else None
    if star is None:
        return pattern.lower() == address.lower()
    before, after = pattern[:star].lower(), pattern[star + 1 :].lower()
    subject = address.lower()
    if len(subject) < len(before) + len(after) or not (subject.startswith(before) and subject.endswith(after)):
        return False
    matched = subject[len(before) : len(subject) - len(after)]
    whole_label = not before and after.startswith(b".")
    # A part of an internationalised label means nothing by itself: only a bare * may match one.
    if not whole_label and subject.startswith(b"xn--"):
        return False
    return matched == b"*" or _ONE_LABEL.match(matched) is not None


def _wildcard_position(pattern: bytes) -> int | None:
    """Return the position of the one ``*`` of a valid wildcard; None when `pattern` is to be compared letter by letter."""
    label, dot, _ = pattern.partition(b".")
    last_dot = pattern.rfind(b".", 2, len(pattern) - 1)
    two_dots = dot and last_dot >= _FIRST_PLACE_OF_A_SECOND_DOT and last_dot > len(label)
    if not two_dots or label.count(b"*") != 1 or not (label.startswith(b"*") or label.endswith(b"*")):
        return None
    return label.index(b"*")
