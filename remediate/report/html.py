"""Self-contained HTML pages, such as a plan: no script, nothing loaded, readable in dark mode and on paper."""

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
from remediate.report.names import ShortNames, service_of, service_rank, shorten
from remediate.report.verdict import certificate_facts
from remediate.report.view import (
    NO_CHANGE_AHEAD,
    TOWARD_NODES,
    PairCounts,
    Row,
    approvals_required,
    arrange_matrix,
    certificate_name,
    count_pairs,
    describe_future,
    describe_toward_nodes,
    group_unresolved,
    headline,
    incompleteness_of,
    last_resort,
    manual_page,
    peers_of,
    reasons_of,
    refresh_notes,
    summarise_verdicts,
    symbol_of,
)

MAX_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class CertificateNode:
    """Certificate in the drawing of additions, with the certificates that it issued and the endpoints that need it."""

    name: str
    fingerprint: str
    facts: tuple[str, ...]
    added_to: tuple[str, ...]
    below: tuple[CertificateNode, ...]
    endpoints: tuple[str, ...]

    @property
    def all_endpoints(self) -> tuple[str, ...]:
        """The endpoints of this certificate and of those below it."""
        return (*self.endpoints, *(endpoint for branch in self.below for endpoint in branch.all_endpoints))


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """One endpoint of the matrix: its short name, its cells, and why it is refused."""

    name: str
    row: Row


@dataclass(frozen=True, slots=True)
class ServiceBlock:
    """What clients use one port of a product for, with its endpoints, those that fail first.

    Attributes:
        sums: The checks of this service.
    """

    heading: str
    sums: PairCounts
    lines: tuple[MatrixLine, ...]


def arrange_services(plan: Plan) -> tuple[ServiceBlock, ...]:
    """Return the endpoints by service, in the order in which users miss them."""
    nodes = node_names(plan)
    groups: dict[tuple[int, str, int], list[Row]] = {}
    for row in arrange_matrix(plan.endpoints).rows:
        judged = next(cell for cell in row.cells if cell is not None)
        service = service_of(judged.product, judged.port)
        groups.setdefault((service_rank(service), service, judged.port), []).append(row)
    blocks: list[ServiceBlock] = []
    for (_, service, port), rows in sorted(groups.items()):
        cells = [cell for row in rows for cell in row.cells if cell is not None]
        heading = f"{service} ({port})" if service else f"Port {port}"
        lines = [MatrixLine(nodes[next(cell for cell in row.cells if cell).address], row) for row in rows]
        ordered = sorted(lines, key=lambda line: (line.row.verifies, line.name.casefold()))
        blocks.append(ServiceBlock(heading, count_pairs(cells), tuple(ordered)))
    return tuple(blocks)


def node_names(plan: Plan) -> ShortNames:
    """Return the short names of the nodes."""
    return shorten(forecast.address for forecast in plan.endpoints)


def plan_page(plan: Plan) -> str:
    """Return the page of `plan`."""
    matrix = arrange_matrix(plan.endpoints)
    return page_template("plan.html.j2").render(
        plan=plan,
        made_at=rfc3339(plan.made_at),
        matrix=matrix,
        peers=shorten(matrix.peers),
        services=arrange_services(plan),
        suffix=node_names(plan).suffix,
        verdict=summarise_verdicts(plan),
        sums=count_pairs(plan.endpoints),
        chains=_certificate_trees(plan),
        left=group_unresolved(plan.unresolved),
        required=approvals_required(plan),
        alarms=plan.alarms,
        incompleteness=incompleteness_of(plan),
        toward_nodes=describe_toward_nodes(plan),
        future=None if plan.future is None else describe_future(plan) or (NO_CHANGE_AHEAD,),
        notes=plan.notes,
        last_resort=last_resort(plan),
    )


def page_template(name: str) -> Template:
    """Return the template `name` of a page; whatever it prints is escaped."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    # `finalize` receives every value that the template prints: the one place where untrusted text is escaped.
    environment = Environment(
        loader=PackageLoader("remediate.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escape_value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(toward_nodes_title=TOWARD_NODES, headline=headline, manual_page=manual_page)
    environment.globals.update(peers_of=peers_of, reasons_of=reasons_of, symbol_of=symbol_of, refresh_notes=refresh_notes)
    return environment


def _escape_value(value: object) -> object:
    return escape(value, MAX_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _certificate_trees(plan: Plan) -> tuple[CertificateNode, ...]:
    """Return the certificates to trust as trees, each under its issuer if that is also to be trusted."""
    additions = [action for action in plan.actions if isinstance(action, TrustCertificate)]
    certificates = {
        addition.certificate: plan.certificates[addition.certificate]
        for addition in additions
        if addition.certificate in plan.certificates
    }
    roots = [addition for addition in additions if _is_root(certificates.get(addition.certificate), certificates.values())]
    return tuple(_certificate_node(root, additions, plan) for root in roots)


def _is_root(certificate: Certificate | None, certificates: Iterable[Certificate]) -> bool:
    return certificate is None or not any(_is_issued_by(certificate, issuer) for issuer in certificates)


def _certificate_node(action: TrustCertificate, additions: Sequence[TrustCertificate], plan: Plan) -> CertificateNode:
    certificate = plan.certificates.get(action.certificate)
    children = tuple(
        addition
        for addition in additions
        if certificate and _is_issued_by(plan.certificates.get(addition.certificate), certificate)
    )
    # Cross-signed CAs can name each other: a certificate is not drawn again below itself.
    remaining = [addition for addition in additions if addition is not action and addition not in children]
    below = tuple(_certificate_node(child, remaining, plan) for child in children)
    shown_below = {endpoint for branch in below for endpoint in branch.all_endpoints}
    return CertificateNode(
        name=certificate_name(certificate),
        fingerprint=action.certificate,
        facts=certificate_facts(certificate) if certificate else (),
        added_to=action.peers,
        below=below,
        endpoints=tuple(endpoint for endpoint in action.because if endpoint not in shown_below),
    )


def _is_issued_by(certificate: Certificate | None, issuer: Certificate) -> bool:
    return certificate is not None and not certificate.self_issued and issuer.issued(certificate)
