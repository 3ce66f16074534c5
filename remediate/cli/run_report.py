"""The report of a run, written into the state directory as soon as the run has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remediate.model.errors import RemediateError

if TYPE_CHECKING:
    from pathlib import Path

    from remediate.cli.session import Session
    from remediate.executor.journal.store import Journal
    from remediate.model.run import Run


def make_run_page(journal: Journal, run: Run) -> str:
    """Return the page of `run`."""
    from remediate import __version__
    from remediate.cli.runs_view import load_certificate_names, load_run_record
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
