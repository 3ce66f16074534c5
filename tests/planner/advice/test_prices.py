"""What it costs to replace a certificate, by the service that it belongs to."""

from __future__ import annotations

import pytest

from remediate.model.identity import Product
from remediate.planner.advice.prices import certificate_service, describe_reissue_price


@pytest.mark.parametrize(
    ("product", "port", "service", "price"),
    [
        ("cucm", 8443, "tomcat", "SAML SSO"),
        ("cucm", 443, "tomcat", "Cisco Tomcat restarts"),
        ("cucm", 6972, "CallManager", "phones reset by themselves"),
        ("cucm", 6971, "CallManager", "`utils ctl update CTLFile`"),
        ("imp", 8443, "tomcat", "Cisco Tomcat restarts"),
        ("imp", 7400, "cup-xmpp", "XCP Router"),
        ("unity", 7443, "tomcat", "Cisco Tomcat restarts"),
    ],
)
def test_the_price_is_that_of_the_service(product: Product, port: int, service: str, price: str) -> None:
    assert certificate_service(product, port) == service
    assert price in describe_reissue_price(product, port)
