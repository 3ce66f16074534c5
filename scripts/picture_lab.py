"""The lab of the pictures: six peers and 56 endpoints at six sites, with names as long as real ones.

What is wrong with it is what an upgrade to X14.2 meets: self-signed ECDSA certificates, intermediates that no server sends, two peers
that lack the root CA, a self-signed IM and Presence node, and Unity Connection under a name that its certificate lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remediate.lab import Lab
from remediate.lab.scenario import AuthoritySpec, NodeSpec, Scenario
from remediate.lab.scenarios import SCENARIOS
from remediate.lab.scenarios.parts import ISSUING, OTHER, ROOT, call_manager, ecdsa_twin, self_signed, signed, tomcat

_DOMAIN = "communications.example-entreprise.fr"
_SITES = ("lyon", "paris", "lille", "nice", "metz", "brest")
_PEERS = 6
_ISSUERS = tuple(
    AuthoritySpec(f"issuing-{number}", f"Example Entreprise Issuing CA {number}", issuer=ROOT.id) for number in (1, 2)
)


def _name(host: str) -> str:
    return f"{host}.{_DOMAIN}"


def _list_site(site: str, number: int) -> Iterator[NodeSpec]:
    """Yield the nodes of a site: a publisher, a subscriber whose intermediate is missing, and one whose intermediate is sent."""
    issuer = _ISSUERS[number % len(_ISSUERS)].id
    first, second, third = (_name(f"cucm-{site}-{role}") for role in ("pub", "sub1", "sub2"))
    leaf = signed(second, by=issuer, sends=())
    services = (tomcat(signed(first)), call_manager(signed(first), ecdsa_twin(first)))
    yield NodeSpec(first, "cucm", services, role="subscriber" if number else "publisher")
    yield NodeSpec(second, "cucm", (tomcat(leaf), call_manager(leaf)))
    chain = signed(third, by=issuer, sends=(issuer,))
    yield NodeSpec(third, "cucm", (tomcat(chain), call_manager(chain, ecdsa_twin(third))))


_IMP, _UNITY, _VOICEMAIL = map(_name, ("imp-paris", "unity", "voicemail"))
_SCENARIO = Scenario(
    name="pictures",
    summary="Six sites after an upgrade to X14.2, for the pictures of the documentation.",
    authorities=(ROOT, ISSUING, OTHER, *_ISSUERS),
    nodes=(
        *(node for number, site in enumerate(_SITES) for node in _list_site(site, number)),
        NodeSpec(_IMP, "imp", (tomcat(self_signed(_IMP)),), role="publisher"),
        NodeSpec(_VOICEMAIL, "unity", (tomcat(signed(_UNITY)),), role="publisher"),
    ),
    trusted=tuple((OTHER.id,) if number % 3 == 0 else (OTHER.id, ROOT.id) for number in range(_PEERS)),
    operator_ca=tuple(authority.id for authority in _ISSUERS),
)


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """Yield that lab, whose files are in `folder`."""
    SCENARIOS[_SCENARIO.name] = _SCENARIO
    with Lab(folder, _SCENARIO.name) as running:
        yield running
