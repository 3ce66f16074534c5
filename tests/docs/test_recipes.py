"""The recipes, typed on the lab as docs/recipes.md has them: what came of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.conftest import Typist
from tests.docs.pages import ROOT

pytestmark = pytest.mark.lab


def test_the_recipes_do_what_they_promise(type_page: Callable[[Path], Typist]) -> None:
    typist = type_page(ROOT / "docs" / "recipes.md")

    desk, folder = typist.desk, typist.desk.folder
    # The password comes from the vault, and the ticket hears of the plan and of what `verify` found.
    assert (folder / "vault.arguments").read_text() == "kv get -field=password secret/expressway\n"
    attached, _, noticed = (folder / "notes").read_text().partition("\n")
    assert attached == "attach CHG0012345 plan.md"
    words, _, document = noticed.partition("\n")
    assert (words, json.loads(document.partition("\ncomment")[0])["format"]) == ("comment CHG0012345", "remediate.notice/1")
    # 10: the name of the lab's voicemail node is wrong, and its certificates are not trusted yet.
    assert f'remediate_exit_code{{cluster="{desk.cluster}"}} 10.0' in (folder / "remediate.prom").read_text()
    # What was approved here is for this plan, and elsewhere nothing is known of it.
    approvals = json.loads((folder / "approvals.json").read_text())
    assert approvals["plan"] == json.loads((folder / "plan.json").read_text())["id"]
    typist.run("remediate rollback last -i inventory.yml --yes")
    rehearsal = "remediate apply plan.json -i inventory.yml --dry-run --state-dir elsewhere"
    assert typist.run(rehearsal).code == 7
    assert typist.run(f"{rehearsal} --approvals approvals.json").code == 10
