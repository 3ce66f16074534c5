"""Capabilities of a peer over REST, from its own description at ``/api/raml`` (RAML 0.8, the only complete reference since X8.11)."""

from __future__ import annotations

from dataclasses import dataclass

from remediate.connectors.expressway.raml import read_description
from remediate.connectors.expressway.removal_form import RemovalForm, read_removal_form
from remediate.connectors.expressway.rest import DIAGNOSTIC_LOGGING
from remediate.model.identity import Product

_REMOVAL = ("delete", "/certs/root")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The operations of one peer that not every version has. An operation that is not described is not offered.

    Attributes:
        described: ``/api/raml`` gave a description.
        removal: How DELETE names a certificate of the trusted CA list; None: it is not offered, or in no form that is understood.
        unknown_removal: There is such a DELETE, and its form is not understood.
        refresh_products: Products whose publisher can be added again, which makes the peer discover its nodes anew.
        restart: The peer can be restarted over REST; otherwise over its shell.
        logging_method: The method that starts and stops diagnostic logging (PUT, or POST); None: it is not offered.
    """

    described: bool = False
    removal: RemovalForm | None = None
    unknown_removal: bool = False
    refresh_products: tuple[Product, ...] = ()
    restart: bool = False
    logging_method: str | None = None

    @property
    def remove_trusted_ca(self) -> bool:
        """Whether a certificate can be removed from the trusted CA list."""
        return self.removal is not None

    @property
    def refresh_discovery(self) -> bool:
        """Whether discovery can be refreshed for at least one product."""
        return bool(self.refresh_products)


def read_capabilities(page: str) -> Capabilities:
    """Return the capabilities that a RAML page describes."""
    description = read_description(page)
    operations = description.operations
    products: tuple[Product, ...] = ("cucm", "imp")
    removal = read_removal_form(operations[_REMOVAL], description.schemas) if _REMOVAL in operations else None
    return Capabilities(
        described=bool(operations),
        removal=removal,
        unknown_removal=_REMOVAL in operations and removal is None,
        refresh_products=tuple(product for product in products if ("post", f"/controller/server/{product}") in operations),
        restart=("post", "/restart") in operations,
        logging_method=next((method.upper() for method in ("put", "post") if (method, DIAGNOSTIC_LOGGING) in operations), None),
    )
