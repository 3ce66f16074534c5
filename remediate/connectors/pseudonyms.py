"""Pseudonyms: texts of a peer with its secrets, addresses and names replaced, each by the same word everywhere.

What is left is the form of an answer. Certificates become numbers; addresses become those of documentation (RFC 5737, RFC 3849); names
become ``host-1.example.test`` and ``name-1``. A word that is replaced once is replaced everywhere.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Iterator
from typing import Final

from remediate.model.masking import MASK, mask

_CERTIFICATE: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*-----END \1-----")
_SECRET: Final = re.compile(
    r"((?:Password|Passphrase|Secret|Community\w*|Serial\w*|ReleaseKey|Option ?Key|Key|Token|Hardware ?ID|UUID)\"?\s*[:=]\s*)"
    r"(\"[^\"\n]*\"|[^\s,}]+)",
    re.IGNORECASE,
)
_ENCRYPTED: Final = re.compile(r"\{cipher\}[^\s\"]*", re.IGNORECASE)
_SUBJECT: Final = re.compile(r"^(?:#\s*)?(?:[A-Z]{1,12}|[0-9.]+)=[^\n]*$", re.MULTILINE)
_USER: Final = re.compile(r"(\"?\w*Username\"?\s*:\s*)\"([^\"\n]+)\"", re.IGNORECASE)
_NAME: Final = re.compile(r"(\"?\w*(?:Host)?[Nn]ame\"?\s*:\s*)\"([^\"\n]+)\"")
_NAME_ELEMENT: Final = re.compile(r"(<\w*Name\b[^>]*>)([^<\n]+)(<)")
_IPV4: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]|\.\d)")
_IPV6: Final = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.])")
_MAIL: Final = re.compile(r"[\w.+-]+@(?!(?:openssh\.com|libssh\.org)\b)(?=[\w-]+(?:\.[\w-]+)*)")
_HOST: Final = re.compile(r"(?<![\w./-])(?:[A-Za-z0-9_](?:[\w-]{0,61}\w)?\.)+[A-Za-z][A-Za-z0-9-]{1,62}(?![\w/-]|\.\w)")
_URL_HOST: Final = re.compile(r"(?<=://)[A-Za-z0-9_.-]+")
_KEPT_HOSTS: Final = frozenset({"www.tandberg.no", "openssh.com", "libssh.org", "example.com", "www.w3.org", "json-schema.org"})
_FILE_ENDINGS: Final = frozenset({"xml", "json", "raml", "pem", "txt", "html", "gz", "tar", "pcap", "log", "yaml", "yml"})
_OWN_NETWORKS: Final = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
_KEPT_NAMES: Final = frozenset({"on", "off", "tandberg vcs", "defaultzone", "defaultsubzone"})


class Pseudonyms:
    """The replacements of one recording."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._addresses = _iterate_addresses()
        self._addresses_6 = (f"2001:db8::{number:x}" for number in itertools.count(1))
        self._numbers = {kind: itertools.count(1) for kind in ("host", "name", "user", "certificate")}

    def address(self, address: str) -> str:
        """Return the pseudonym of a host name or an IP address."""
        try:
            version = ipaddress.ip_address(address).version
        except ValueError:
            return self._replace_host(address)
        return self._replace_ip(address, version)

    def replace(self, text: str) -> str:
        """Return `text` with everything replaced that names or gives away something."""
        text = _ENCRYPTED.sub(MASK, mask(text))
        text = _CERTIFICATE.sub(lambda match: self._replace_certificate(match[0], match[1]), text)
        text = _SUBJECT.sub(lambda match: self._word("name", match[0]), text)
        text = _SECRET.sub(lambda match: f'{match[1]}"{MASK}"' if match[2].startswith('"') else f"{match[1]}{MASK}", text)
        text = _USER.sub(lambda match: f'{match[1]}"{self._word("user", match[2])}"', text)
        text = _IPV4.sub(lambda match: self._replace_ip(match[0], 4), text)
        text = _IPV6.sub(lambda match: self._replace_ip(match[0], 6), text)
        text = _MAIL.sub("user@", text) if "@" in text else text
        text = _URL_HOST.sub(lambda match: self._replace_host(match[0]), text)
        text = _HOST.sub(lambda match: self._replace_host(match[0]), text)
        text = _NAME.sub(lambda match: f'{match[1]}"{self._replace_name(match[2])}"', text)
        return _NAME_ELEMENT.sub(lambda match: f"{match[1]}{self._replace_name(match[2])}{match[3]}", text)

    def replace_known(self, text: str) -> str:
        """Return `text` with every word replaced that has a pseudonym by now."""
        for word in sorted((word for word in self._words if len(word) > 2), key=len, reverse=True):
            # A plain word such as `cluster` is one of the interface too, which begins it with a capital.
            flags = re.NOFLAG if word.isalpha() else re.IGNORECASE
            text = re.sub(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", self._words[word], text, flags=flags)
        return text

    def _replace_certificate(self, block: str, label: str) -> str:
        if "example of" in block or len(block) < 200:
            return block  # an example in a description
        return f"-----BEGIN {label}-----\n{self._word('certificate', block)}\n-----END {label}-----"

    def _replace_ip(self, text: str, version: int) -> str:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return text
        if address.is_unspecified or text.startswith("255.") or text == "127.0.0.1" or text == "::1":
            return text
        if any(address in network for network in _OWN_NETWORKS if network.version == address.version):
            return text
        if text not in self._words:
            self._words[text] = next(self._addresses if version == 4 else self._addresses_6)
        return self._words[text]

    def _replace_host(self, host: str) -> str:
        folded = host.casefold()
        if folded in _KEPT_HOSTS or folded.rpartition(".")[2] in _FILE_ENDINGS or folded.endswith(".example.test"):
            return host
        if _IPV4.fullmatch(host):
            return self._replace_ip(host, 4)
        if folded not in self._words:
            number = next(self._numbers["host"])
            self._words[folded] = f"host-{number}.example.test"
            short = folded.partition(".")[0]
            if "." in folded and len(short) > 2:
                self._words.setdefault(short, f"host-{number}")
        return self._words[folded]

    def _replace_name(self, name: str) -> str:
        return (
            name
            if name.casefold() in _KEPT_NAMES or name.endswith("example.test") or MASK in name
            else self._word("name", name)
        )

    def _word(self, kind: str, word: str) -> str:
        folded = word.casefold()
        if folded in self._words.values():
            return word
        if folded not in self._words:
            self._words[folded] = f"{kind}-{next(self._numbers[kind])}"
        return self._words[folded]


def _iterate_addresses() -> Iterator[str]:
    for network in ("192.0.2", "198.51.100", "203.0.113"):
        yield from (f"{network}.{number}" for number in range(1, 255))
    while True:
        yield "203.0.113.255"
