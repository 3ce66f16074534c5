"""The trusted CA lists as PEM files beside the journal, so that a person can write one back by hand without this tool.

The journal has the same lists, and a rollback uses the journal alone: without these files an apply continues, with a warning.
"""

from __future__ import annotations

from pathlib import Path

from remediate.executor.context import Baseline, RunContext
from remediate.executor.reconnecting import ReconnectingPeer
from remediate.formats.pem_list import format_pem_list
from remediate.machine.private_files import make_file_name, make_private_folder, write_private_file
from remediate.model.errors import NotOffered, ObservationError
from remediate.model.text import count

FOLDER = "backups"
"""In the state directory; one folder a run in it."""


def save_lists_as_pem(context: RunContext, baseline: Baseline, run: str) -> None:
    """Write the trusted CA list of each peer, as it is before the first write of `run`. A run that is resumed has its files."""
    if context.unfinished:
        return
    folder = context.state_dir / FOLDER / make_file_name(run)
    peers = [peer for peer in context.peers if peer.address in baseline.backups]
    try:
        make_private_folder(folder)
        for peer in peers:
            _save_list(context, baseline, peer, folder)
    except OSError as error:
        text = f"The lists could not be saved as PEM in {folder}: {error.strerror}. The journal has them anyway."
        context.events.emit("warning", text)
        return
    text = f"The trusted CA list of {count(len(peers), 'peer')} is saved as PEM in {folder}."
    context.events.emit("lists-saved", text, folder=str(folder))


def _save_list(context: RunContext, baseline: Baseline, peer: ReconnectingPeer, folder: Path) -> None:
    backup, gap = baseline.backups[peer.address], ""
    try:
        revocation_lists = peer.revocation_lists()
    except (ObservationError, NotOffered) as error:
        revocation_lists, gap = (), "the CRLs of the list could not be read"
        context.events.emit(
            "warning", f"The CRLs in the trusted CA list of {peer.address} are not saved: {error}", peer=peer.address
        )
    certificates = [baseline.certificates[fingerprint] for fingerprint in backup.trusted_ca]
    text = format_pem_list(peer.address, certificates, revocation_lists, gap, context.environment.now())
    write_private_file(folder / make_file_name(peer.address, ".pem"), text)
