"""`show`: the plan of a file on a terminal, as a page, as a ticket and as JSON."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Remediate


def test_show_gives_the_same_plan_to_a_program(remediate: Remediate, plan: Path) -> None:
    assert remediate("show", plan, "--json").out == plan.read_text()


def test_show_has_whole_lines_in_a_pipe(remediate: Remediate, plan: Path) -> None:
    ended = remediate("show", plan, "--all", "--explain")

    assert ended.code == 0
    assert not any(line != line.rstrip() for line in ended.out.splitlines())
    assert any(line.startswith("imp.steven.lab:8443 ") and "self-signed-untrusted" in line for line in ended.out.splitlines())


def test_show_writes_page_and_ticket(remediate: Remediate, plan: Path, tmp_path: Path) -> None:
    assert remediate("show", plan, "--html", tmp_path / "plan.html").code == 0
    assert remediate("show", plan, "--markdown", "-").out.startswith("# Change:")
    assert "<!doctype html>" in (tmp_path / "plan.html").read_text()


def test_every_view_has_the_next_command_with_the_real_file(remediate: Remediate, plan: Path) -> None:
    command = f"remediate approve {plan}"

    assert command in " ".join(remediate("show", plan).err.split())
    for view in ("--html", "--markdown"):
        assert command in remediate("show", plan, view, "-").out.replace("<wbr>", "")


def test_a_plan_that_was_edited_is_refused(remediate: Remediate, plan: Path) -> None:
    plan.write_text(plan.read_text().replace('"cluster": "edge-lab"', '"cluster": "edge-prod"'))

    assert remediate("show", plan).code == 1
