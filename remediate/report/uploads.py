"""The certificates that nodes lack, as files to upload, and the text with their destination and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from remediate.model.certificate import Certificate
from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE
from remediate.model.snapshot import Snapshot
from remediate.model.text import escape
from remediate.model.toward_nodes import STORE_RESTARTS, TowardNode
from remediate.report.view import certificate_name

README = "README.txt"


def list_upload_files(snapshot: Snapshot, toward_nodes: Iterable[TowardNode]) -> Mapping[str, str]:
    """Return the text of each file by its name: a certificate that a store lacks, and `README`; empty where none lacks anything."""
    targets: dict[Certificate, dict[tuple[str, str], None]] = {}
    for toward in toward_nodes:
        for certificate in snapshot.resolve(toward.missing):
            targets.setdefault(certificate, {})[toward.node, toward.store] = None
    if not targets:
        return {}
    files = {_name_file(certificate): certificate.pem for certificate in targets}
    lines = [
        f"{snapshot.cluster}: certificates that nodes need to trust the peers' own. Page: {CERTIFICATE_MANAGEMENT_PAGE}.",
        "",
    ]
    for certificate, stores in targets.items():
        lines += [f"{_name_file(certificate)}  {escape(certificate.subject)}", f"  {certificate.fingerprint}"]
        lines += [f"  on {node} as {store}-trust" for node, store in stores]
        lines.append("")
    names = dict.fromkeys(store for stores in targets.values() for _, store in stores)
    lines += [f"Then, for {name}-trust: {STORE_RESTARTS[name].instruction}." for name in names]
    return files | {README: "\n".join(lines) + "\n"}


def _name_file(certificate: Certificate) -> str:
    return f"{certificate_name(certificate)}-{certificate.fingerprint.removeprefix('sha256:')[:12]}.pem"
