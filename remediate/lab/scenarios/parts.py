"""Parts that several scenarios share: the authorities of steven.lab and the usual nodes."""

from __future__ import annotations

from remediate.lab.scenario import AuthoritySpec, CertificateSpec, NodeSpec, ServiceSpec

DOMAIN = "steven.lab"
PUBLISHER = f"cucm.{DOMAIN}"
SUBSCRIBERS = (f"cucm-sub1.{DOMAIN}", f"cucm-sub2.{DOMAIN}")
IMP = f"imp.{DOMAIN}"
UNITY = f"unity.{DOMAIN}"

ROOT = AuthoritySpec("root", "steven-DC-CA")
ISSUING = AuthoritySpec("issuing", "steven-Issuing-CA", issuer="root")
PEERS = "peers"
"""The authority that signs the peers' own certificates; no scenario has it in its `authorities`."""
OTHER = AuthoritySpec("other", "Corporate Root CA 2019")


def signed(name: str, *, by: str = "root", sends: tuple[str, ...] = ("root",), cn: str | None = None) -> CertificateSpec:
    """Return an RSA certificate for `name`, signed by an authority."""
    return CertificateSpec("rsa", cn or name, (name,), by, sends)


def self_signed(name: str, *, cn: str | None = None) -> CertificateSpec:
    """Return a self-signed RSA certificate for `name`."""
    return CertificateSpec("rsa", cn or name, (name,))


def ecdsa_twin(name: str, *, by: str | None = None) -> CertificateSpec:
    """Return the ECDSA twin as Unified CM makes it: CN with -EC after the host, SAN without; self-signed unless `by` signs it."""
    host, _, domain = name.partition(".")
    return CertificateSpec("ecdsa", f"{host}-EC.{domain}", (name,), by, (by,) if by else ())


def tomcat(*certificates: CertificateSpec) -> ServiceSpec:
    """Return the service on port 8443 with these certificates."""
    return ServiceSpec("tomcat", (8443,), certificates)


def call_manager(*certificates: CertificateSpec) -> ServiceSpec:
    """Return the service on ports 6971 and 6972 with these certificates."""
    return ServiceSpec("CallManager", (6971, 6972), certificates)


def healthy_nodes() -> tuple[NodeSpec, ...]:
    """Return five nodes that pass on every peer that trusts the root."""
    cucm = tuple(
        NodeSpec(
            name,
            "cucm",
            (tomcat(signed(name)), call_manager(signed(name), ecdsa_twin(name, by="root"))),
            role="publisher" if name == PUBLISHER else "subscriber",
        )
        for name in (PUBLISHER, *SUBSCRIBERS)
    )
    imp = NodeSpec(IMP, "imp", (tomcat(signed(IMP)),), role="publisher")
    return (*cucm, imp, NodeSpec(UNITY, "unity", (tomcat(signed(UNITY)),), role="publisher"))
