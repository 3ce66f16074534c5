"""Names on Cisco's side: pages of the web interfaces, products, cipher lists and what is put in front of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from remediate.model.identity import CipherList, Product

SHELL_ACCOUNTS: Final = frozenset({"admin", "root"})
"""The only accounts that the shell over SSH takes (Expressway Administrator Guide, interfaces, X14.0 to X15.5)."""
TRUSTED_CA_PAGE: Final = "Maintenance > Security > Trusted CA certificate"
SERVER_CERTIFICATE_PAGE: Final = "Maintenance > Security > Server certificate"
DIAGNOSTIC_LOGGING_PAGE: Final = "Maintenance > Diagnostics > Diagnostic logging"
SUPPORT_LOG_PAGE: Final = "Maintenance > Diagnostics > Advanced > Support Log configuration"
TRAFFIC_SERVER_LOGGERS: Final = tuple(f"developer.trafficserver.{name}" for name in ("http", "http_trans", "iocore", "ssl"))
"""What the traffic server needs at level DEBUG to say why a handshake under TLS 1.3 failed (TAC article 225746)."""
ADMINISTRATOR_ACCOUNTS_PAGE: Final = "Users > Administrator accounts"
MAX_TRUSTED_CA: Final = 1_000
"""Certificates that a trusted CA list may hold (Expressway Administrator Guide, managing security, X14.3 to X15.5)."""
PROTECTION_EXEMPTIONS_PAGE: Final = "System > Protection > Automated detection > Exemptions"
TIME_PAGE: Final = "System > Time"
UNIFIED_COMMUNICATIONS_MENU: Final = "Configuration > Unified Communications"
REFRESH_BUTTON: Final = "Refresh servers"
REFRESH_PRICE: Final = "Sign-in over MRA is down for 5 to 45 seconds while it runs."
"""MRA deployment guide X15.2, *MRA Maintenance*: no client can connect during a refresh."""

SERVERS_PAGES: Mapping[Product, str] = {
    "cucm": f"{UNIFIED_COMMUNICATIONS_MENU} > Unified CM servers",
    "imp": f"{UNIFIED_COMMUNICATIONS_MENU} > IM and Presence Service nodes",
    "unity": f"{UNIFIED_COMMUNICATIONS_MENU} > Unity Connection servers",
}
"""The page of Expressway that lists the discovered servers of a product, and has the button `REFRESH_BUTTON`."""

UNIFIED_CM_SERVERS_PAGE: Final = "System > Server"
"""The page of Unified CM with the addresses that clients use, those of IM and Presence nodes too."""

UC_SERVICE_PAGE: Final = "User Management > User Settings > UC Service"
"""The page of Unified CM with the addresses of Unity Connection and of IM and Presence that clients use."""

CERTIFICATE_MANAGEMENT_PAGE: Final = "Cisco Unified OS Administration > Security > Certificate Management"
"""The page of Unified CM, IM and Presence and Unity Connection that shows a node's own certificates."""

PRODUCT_NAMES: Mapping[Product, str] = {"cucm": "Unified CM", "imp": "IM and Presence", "unity": "Unity Connection"}

REVERSE_PROXY_CIPHERS: Final = "ReverseProxyTLSCiphers"
"""The one cipher list that the traffic server uses towards Unified CM, IM&P and Unity (Expressway reference, X15.0)."""

CIPHERS_SINCE_X15_0_2: Final = CipherList(
    "HIGH:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL:!aDH:-AES256+SHA:-RSA+AESCCM:-DHE+AESCCM:-DHE+CHACHA20"
)
"""The default of every cipher list since X15.0.2 (Expressway Administrator Guide, managing security, X15.2 and X15.5).

An upgrade puts it in the place of the old default, keeps the RSA prefix in front of it, and keeps a list that was customised.
"""

SIP_CIPHERS: Final = "SIPTLSCiphers"
XCP_CIPHERS: Final = "XCPTLSCiphers"

GUARDED_PORTS: Mapping[Product, Mapping[int, tuple[str, str | None]]] = {
    "cucm": {5061: ("SIP", SIP_CIPHERS), 5091: ("SIP OAuth", SIP_CIPHERS)},
    "imp": {7400: ("XCP", XCP_CIPHERS)},
    "unity": {7443: ("Unity Connection notifications", None)},
}
"""Ports of services beside the traffic server that rely on the trusted CA list: the service, and its cipher list (None: not known)."""

PRODUCTS_BY_PORT: Final[Mapping[int, Product]] = {
    6971: "cucm", 6972: "cucm", 5061: "cucm", 5091: "cucm", 7400: "imp", 7443: "unity",
}  # fmt: skip
"""The product behind a port that only one has; 443 and 8443 may be any's."""

UC_CLIENT_CIPHERS: Final = "UcClientTLSCiphers"
"""The cipher list that the discovery of Unified CM, IM&P and Unity servers uses (Expressway reference, X15.0)."""

RSA_PREFIX: Final = "ECDHE-RSA-AES256-GCM-SHA384:"
"""Put in front of a cipher list, it asks a node for its RSA certificate first."""

ECDSA_PREFIX: Final = "ECDHE-ECDSA-AES256-GCM-SHA384:"
"""Put in front of a cipher list, it asks a node for its ECDSA certificate first."""
