"""The record of a run from the journal, and the report made of it, written into the state directory as soon as the run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remediate.model.errors import RemediateError

if TYPE_CHECKING:
    from pathlib import Path

    from remediate.cli.session import Session
    from remediate.executor.journal.store import Journal
    from remediate.model.run import Run


def load_run_record(journal: Journal, run: Run) -> dict[str, Any]:
    """Return all that the journal holds of a run as JSON, but its plan and the certificates."""
    from remediate.executor.run_health import describe_run
    from remediate.model.canonical import utc_now
    from remediate.report.run import run_record

    remark = describe_run(run, journal.path.parent, utc_now())
    return run_record(run, journal.steps(run.id), journal.backups(run.id), journal.approvals(run.id), remark)


def load_certificate_names(journal: Journal, run: Run) -> dict[str, str]:
    """Return the subjects of the certificates in the plan of a run, by fingerprint; none where it has no plan."""
    from remediate.report.view import certificate_name

    certificates = journal.plan(run.id).certificates if run.plan else {}
    return {fingerprint: certificate_name(certificate) for fingerprint, certificate in certificates.items()}


def make_run_page(journal: Journal, run: Run) -> str:
    """Return the page of `run`."""
    from remediate import __version__
    from remediate.executor.journal.measurements import load_measurements
    from remediate.report.run_page import run_page

    plan = journal.plan(run.id) if run.plan else None
    pairs = load_measurements(journal, run.id)
    record, names = load_run_record(journal, run), load_certificate_names(journal, run)
    return run_page(record, names, plan, pairs, version=__version__)


def write_run_report(session: Session, run: str) -> Path | None:
    """Write the page of `run` to ``reports/RUN.html`` in the state directory; return its path.

    A failure is said, and None returned: the run has ended, and `runs show` can write its page later.
    """
    from remediate.executor.journal.store import Journal
    from remediate.machine.private_files import write_private_file

    path = session.state_dir.absolute() / "reports" / f"{run}.html"
    try:
        with Journal(session.state_dir) as journal:
            page = make_run_page(journal, journal.run(run))
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private_file(path, page)
    except (RemediateError, OSError) as error:
        session.say(f"The report of run {run} could not be written: {error}")
        return None
    return path
