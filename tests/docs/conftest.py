"""A lab, a desk, and a typist who types a page on it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remediate.lab import Lab
from remediate.model.exit_codes import ExitCode
from tests.docs.command_lines import is_whole, list_exit_codes
from tests.docs.desk import REFUSED, SCENES, Desk, Result, Shell, set_up_desk
from tests.docs.pages import ANSWERS, ROOT, Block, Statement, read_blocks, read_inline_commands

USUAL_IN_PROSE = frozenset(ExitCode) - {ExitCode.ERROR, ExitCode.USAGE, ExitCode.BUG}
"""A command in prose speaks of some situation, which the desk need not be in."""


class Typist:
    """Types what a page says, and checks how it ends.

    Attributes:
        printed: What each statement printed, in order.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.shell = desk, Shell(desk)
        self.printed: list[str] = []
        self._transcript: list[str] = []

    def type_page(self, page: Path) -> None:
        """Type the blocks of a page in their order, then the whole commands in its prose."""
        blocks = read_blocks(page)
        for block in blocks:
            self._type_block(block)
        typed = {statement.text.partition("#")[0].strip() for block in blocks for statement in block.statements}
        if "plan.json" in page.read_text() and not (self.desk.folder / "plan.json").exists():
            self.run("remediate plan -i inventory.yml -o plan.json")
        for command in read_inline_commands(page):
            if is_whole(command) and command not in typed:
                self._type_statement(Statement(command), USUAL_IN_PROSE)

    def run(self, text: str) -> Result:
        """Type something that is on no page."""
        return self.shell.run(Statement(text))

    def close(self) -> None:
        """Leave nothing behind that runs: no lab, and no timer that waits for a confirmation."""
        self.run("remediate confirm last")
        self.run("remediate lab down")
        self.shell.close()

    def _type_block(self, block: Block) -> None:
        if block.file_name:
            self.desk.write(block.file_name, self.desk.fill_in(block.text))
        elif not block.statements:
            self.desk.set_key(block.text)
        self.run("set +e")  # where the block before left it on
        statements = [statement for statement in block.statements if statement.is_typed]
        printed = " ".join(" ".join(self._type_statement(statement, ANSWERS).output for statement in statements).split())
        missing = [line for line in block.output if not re.search(line_pattern(line), printed)]
        assert missing == [], f"{block.heading}: what it prints is\n{printed}"

    def _type_statement(self, statement: Statement, usual: frozenset[int]) -> Result:
        result = self.shell.run(statement)
        scene = next((scene for pattern, scene in SCENES.items() if re.match(pattern, statement.text)), "")
        if scene and result.code == ExitCode.ERROR:
            self.run(scene)
            result = self.shell.run(statement)
        self.printed.append(result.output)
        self._transcript.append(f"{statement.text.strip()} -> {result.code}")
        where = "\n".join([*self._transcript, result.output])
        for arguments, code in result.calls:
            codes = statement.codes if statement.program == "remediate" else None
            assert code in (codes or usual & list_exit_codes(arguments) | REFUSED.get(statement.text.strip(), set())), where
        assert result.calls or statement.program != "remediate", f"{result.code}: {where}"
        assert result.code in (statement.codes or {0, *(code for _, code in result.calls)}), f"{result.code}: {where}"
        return result


def line_pattern(line: str) -> str:
    """Return the pattern of a line that a page shows, in which … stands for anything."""
    return ".*?".join(r"\s+".join(map(re.escape, part.split())) for part in line.split("…"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield the folder of a running server: its address is ``socket``, ``calls`` has what it ran."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "tests.docs.preloaded", str(folder / "socket"), str(folder / "calls")]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    yield folder
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def type_page(server: Path, tmp_path: Path) -> Iterator[Callable[[Path], Typist]]:
    """Type a page on a lab of its own, and return who did."""
    folder = tmp_path / "desk"
    folder.mkdir()
    with Lab(tmp_path / "lab", judge=False) as lab:
        typists = []

        def type_it(page: Path) -> Typist:
            desk = set_up_desk(folder, lab, server / "socket", server / "calls", page.read_text())
            typists.append(Typist(desk))
            typists[0].type_page(page)
            return typists[0]

        yield type_it
        for typist in typists:
            typist.close()
