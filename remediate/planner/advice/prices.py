"""The price of a change on a node: what restarts, what phones do, and what else has to be done.

From Cisco's guides on renewing certificates (CallManager and TVS: ITL and CTL, *Phone Interaction on Certificate Update*), on the
restarts that follow, and on SAML SSO. A price is a part of each option: one without it is taken for a small thing.
"""

from __future__ import annotations

from collections.abc import Mapping

from remediate.model.identity import Product

_SERVICES: Mapping[tuple[Product, int], str] = {
    ("cucm", 6971): "CallManager",
    ("cucm", 6972): "CallManager",
    ("cucm", 5061): "CallManager",
    ("imp", 7400): "cup-xmpp",
}
"""The certificate behind a port, as the node's certificate management names it; every other port shows tomcat."""

_REISSUE_PRICES: Mapping[str, str] = {
    "tomcat": (
        "Price: Cisco Tomcat restarts on that node; where SAML SSO is in use, the identity provider needs the node's new metadata, or "
        "sign-in fails."
    ),
    "CallManager": (
        "Price: the ITL is rewritten and phones reset by themselves; CallManager, TFTP and HAProxy restart on that node; in mixed "
        "mode, run `utils ctl update CTLFile`. Never renew CallManager and TVS at once."
    ),
    "cup-xmpp": "Price: the Cisco XCP Router restarts on that node, which ends chat sessions.",
}
UNKNOWN_REISSUE_PRICE = (
    "Price: the service restarts on that node; with a CallManager certificate phones reset by themselves (ITL, CTL), and with tomcat "
    "and SAML SSO the identity provider needs new metadata."
)
OWN_CERTIFICATE_PRICE = (
    "Price: each peer restarts once, one at a time, which ends its calls; where the inventory pins its fingerprint, that "
    "changes too."
)
RESTART_PRICE = "Price: a restart ends the calls of that peer; one peer at a time."
TRUST_PRICE = "Price: a new CA takes effect only after a restart of each peer, one at a time, which ends its calls."
CIPHERS_PRICE = "Price: a weaker list or version applies to every node, and it too may need a restart of each peer."
LOGGER_PRICE = "Price: the log fills faster, and alarm 25019 is up until they are back at INFO."
SERVER_NAME_PRICE = (
    "Price: every phone and internal server gets this name. It needs forward and reverse DNS for phones and for Expressway, "
    "and the name in the node's certificates; phones reset, so do it after hours. MRA stops while the servers are refreshed."
)
PRESENCE_NAME_PRICE = (
    "Price: internal clients use that name too, so it needs DNS for them and for Expressway, and the name in the node's "
    "certificates. MRA stops while the servers are refreshed."
)
VOICEMAIL_NAME_PRICE = (
    "Price: it needs internal DNS for that name too, and a name that Expressway has not discovered is refused with 403. "
    "Leave the entry of Unity Connection on Expressway as it is: it is for discovery alone, and voicemail is unavailable "
    "while it is deleted and added again."
)


def certificate_service(product: Product, port: int) -> str:
    """Return the name of the certificate behind `port`, as certificate management has it."""
    return _SERVICES.get((product, port), "tomcat")


def describe_reissue_price(product: Product, port: int) -> str:
    """Return what it costs to replace the certificate behind `port`."""
    return _REISSUE_PRICES[certificate_service(product, port)]
