"""French: what people read is French, and what programs read stays the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remediate.cli.app import VERBS
from remediate.lab import Lab
from tests.cli.conftest import Remediate
from tests.french import english_lines


@pytest.fixture
def french(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_LANG", "fr")


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize("verb", VERBS)
def test_help_is_french(remediate: Remediate, verb: str) -> None:
    ended = remediate(verb, "--help")
    assert english_lines(ended.out) == []


@pytest.mark.usefixtures("french")
def test_a_plan_is_explained_in_french(remediate: Remediate, snapshot: Path, tmp_path: Path) -> None:
    ended = remediate("plan", "--snapshot", snapshot, "--explain", "--horizon", "400d", "-o", tmp_path / "plan.json")
    assert english_lines(ended.out + ended.err) == []
    for options in ([], ["--all"], ["--markdown", "-"], ["--html", "-"]):
        answer = remediate("show", tmp_path / "plan.json", *options)
        assert (answer.code, english_lines(answer.out)) == (0, []), options


@pytest.mark.usefixtures("french")
def test_certificates_are_listed_in_french(remediate: Remediate, snapshot: Path) -> None:
    assert english_lines(remediate("certificates", "--snapshot", snapshot).out) == []


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize(
    "arguments",
    [
        ("apply", "--dry-run", "--cucm-trust"),
        ("restart", "--all", "--dry-run"),
        ("verify", "-v"),
        ("doctor",),
        ("workaround", "status"),
    ],
)
def test_commands_speak_french_on_the_lab(remediate: Remediate, lab: Lab, snapshot: Path, arguments: tuple[str, ...]) -> None:
    verb, *options = arguments
    plan = snapshot.with_name("plan.json")
    if verb == "apply":
        remediate("plan", "-q", "-i", lab.inventory, "--cucm-trust", "-o", plan)
        options = [str(plan), *options]
    ended = remediate(verb, *options, "-i", lab.inventory)
    assert ended.err + ended.out
    assert english_lines(ended.out + ended.err) == []


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "--nope"),
        ("plan", "-i", "missing.yml"),
        ("rollback", "last", "-i", "missing.yml"),
        ("confirm", "nothing"),
        ("diagnose", "missing.log"),
        ("apply", "missing.json"),
        ("runs", "show", "x"),
    ],
)
def test_errors_are_french(remediate: Remediate, arguments: tuple[str, ...]) -> None:
    ended = remediate(*arguments)
    assert ended.code != 0
    assert english_lines(ended.err) == []


def test_programs_read_the_same_in_every_language(
    remediate: Remediate, snapshot: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers = {}
    for language in ("en", "fr"):
        monkeypatch.setenv("REMEDIATE_LANG", language)
        events = tmp_path / f"{language}.jsonl"
        answers[language] = (
            remediate("plan", "--snapshot", snapshot, "--json").out,
            remediate("collect", "-q", "-i", lab.inventory, "--json", "--events", events).code,
            remediate("plan", "--nope", "--json").out,
            remediate("runs", "show", "x", "--json").out,
            sorted(json.loads(line)["message"] for line in events.read_text(encoding="utf-8").splitlines()),
        )
    assert answers["en"] == answers["fr"]


def test_an_unknown_language_is_refused(remediate: Remediate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMEDIATE_LANG", "klingon")
    ended = remediate("runs")
    assert ended.code == 64
    assert "it can be en or fr" in ended.err
