"""A plan as one self-contained HTML file: no script, nothing from elsewhere, readable in the dark and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from remediate.model.canonical import rfc3339
from remediate.model.certificate import Certificate
from remediate.model.plan import Plan, TrustCertificate
from remediate.model.text import escape
from remediate.report.drawing import facts
from remediate.report.view import (
    alarms_of,
    approvals_required,
    by_hand,
    display_name,
    headline,
    incompleteness_of,
    left_over,
    matrix_of,
    other_notes,
    peers_of,
    reasons_of,
    sums_of,
    symbol_of,
)

MAX_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Branch:
    """One certificate of the drawing: what to call it, what to compare, what hangs below it."""

    name: str
    fingerprint: str
    facts: tuple[str, ...]
    added_to: tuple[str, ...]
    below: tuple[Branch, ...]
    endpoints: tuple[str, ...]

    @property
    def reached(self) -> tuple[str, ...]:
        """Every endpoint here and below."""
        return (*self.endpoints, *(endpoint for branch in self.below for endpoint in branch.reached))


def plan_page(plan: Plan) -> str:
    """Return the page."""
    return _template().render(
        plan=plan,
        made_at=rfc3339(plan.made_at),
        matrix=matrix_of(plan.endpoints),
        sums=sums_of(plan.endpoints),
        chains=_chains(plan),
        left=left_over(plan.unresolved),
        required=approvals_required(plan),
        alarms=alarms_of(plan),
        incompleteness=incompleteness_of(plan),
        notes=other_notes(plan),
    )


@cache
def _template() -> Template:
    # `finalize` sees every value that the template prints: the one place where untrusted text is cleaned.
    environment = Environment(
        loader=PackageLoader("remediate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(headline=headline, by_hand=by_hand)
    environment.globals.update(peers_of=peers_of, reasons_of=reasons_of, symbol_of=symbol_of)
    return environment.get_template("plan.html.j2")


def _printable(value: object) -> object:
    return escape(value, MAX_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _chains(plan: Plan) -> tuple[Branch, ...]:
    """The certificates to trust as trees: each under its issuer where that one is also to be trusted."""
    additions = [action for action in plan.actions if isinstance(action, TrustCertificate)]
    known = {
        addition.certificate: plan.certificates[addition.certificate]
        for addition in additions
        if addition.certificate in plan.certificates
    }
    roots = [addition for addition in additions if _is_top(known.get(addition.certificate), known.values())]
    return tuple(_branch(root, additions, plan) for root in roots)


def _is_top(certificate: Certificate | None, known: Iterable[Certificate]) -> bool:
    return certificate is None or not any(_hangs_below(certificate, one) for one in known)


def _branch(action: TrustCertificate, additions: Sequence[TrustCertificate], plan: Plan) -> Branch:
    certificate = plan.certificates.get(action.certificate)
    children = tuple(
        addition
        for addition in additions
        if certificate and _hangs_below(plan.certificates.get(addition.certificate), certificate)
    )
    # Cross-signed CAs can name each other; what is drawn once is not drawn again below itself.
    rest = [addition for addition in additions if addition is not action and addition not in children]
    below = tuple(_branch(child, rest, plan) for child in children)
    shown_below = {endpoint for branch in below for endpoint in branch.reached}
    return Branch(
        name=display_name(certificate),
        fingerprint=action.certificate,
        facts=facts(certificate) if certificate else (),
        added_to=action.peers,
        below=below,
        endpoints=tuple(endpoint for endpoint in action.because if endpoint not in shown_below),
    )


def _hangs_below(certificate: Certificate | None, issuer: Certificate) -> bool:
    return certificate is not None and not certificate.self_issued and issuer.issued(certificate)
