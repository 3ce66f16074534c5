"""What the pages tell a reader to type: their blocks, split into statements, with the exit codes and the output that they promise.

A page says:
    ``sh`` blocks are typed, in order, in one folder, in one shell. ``remediate`` is to end with 0 or an answer (`ANSWERS`), unless a
        comment of that statement says ``exit code 8``.
    A ``text`` block right after one is what it prints: each line, where ``…`` stands for anything.
    A block whose first line is a comment with nothing but a file's name is that file.
    A ``yaml`` block of one line is a key of the inventory.
Commands in the prose that are whole are typed last; those end with a code that their help lists, and not as wrong usage.
"""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("playbooks/**/*.md"), *ROOT.glob("benchmarks/**/*.md"))
)
ANSWERS = frozenset({0, 2, 9, 10, 11})
"""Codes with which a command has done its work. What a reader should be prepared for otherwise, the page says."""

OTHERS = {
    "make": "builds and tests this very tree",
    ".": "activates the environment that the tests run in",
    "pipx": "installs, from a package index",
    "uvx": "installs, from a package index",
    "podman": "builds an image, from a registry",
    "ansible-galaxy": "installs: tests/playbooks plays what it would",
}
"""Programs whose statements are not typed, each with the reason."""

BLOCK = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(remediate [^`]+)`")
HISTORY = ROOT / "CHANGELOG.md"
"""It tells of commands as they were."""

_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FILE_NAME = re.compile(r"# ([\w/.-]+\.\w+)")
_CODES = re.compile(r"exit codes? (\d+(?:(?:, | or | and )\d+)*)")
_CRONTAB = re.compile(r"([*/\d,-]+ ){5}")
_SUBSTITUTION = re.compile(r"^\w+=\$\(")


@dataclass(frozen=True)
class Statement:
    """What a reader types at once: a line, or several that the shell reads as one.

    Attributes:
        codes: The exit codes that the page names; empty: it names none.
    """

    text: str
    codes: frozenset[int] = frozenset()

    @property
    def program(self) -> str:
        """The program that it begins with."""
        command = re.sub(r"^(#.*\n)*", "", self.text)
        return _SUBSTITUTION.sub("", command).split(maxsplit=1)[0]

    @property
    def is_typed(self) -> bool:
        """Whether it can be typed on a lab."""
        return self.program not in OTHERS and not self.text.startswith("remediate demo")

    @property
    def makes_inventory(self) -> bool:
        """Whether it writes a first inventory."""
        return self.text.startswith("remediate init")


@dataclass
class Block:
    """A fenced block that is typed (`statements`), or written to a file (`text`).

    Attributes:
        file_name: The file that it is; empty for a key of the inventory.
        output: The lines of the block after it that shows what it prints.
    """

    heading: str
    text: str
    file_name: str = ""
    statements: tuple[Statement, ...] = ()
    output: list[str] = field(default_factory=list)


def name_page(page: Path) -> str:
    """Return the path of a page below the root."""
    return str(page.relative_to(ROOT))


def read_prose(page: Path) -> str:
    """Return a page without its blocks."""
    return BLOCK.sub("", page.read_text())


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are typed or are files, in order."""
    blocks: list[Block] = []
    text = page.read_text()
    for match in BLOCK.finditer(text):
        language, body = match[2], textwrap.dedent(match[3])
        headings = _HEADING.findall(BLOCK.sub("", text[: match.start()]))
        file_name = _FILE_NAME.fullmatch(body.partition("\n")[0])
        if language == "sh":
            blocks.append(Block(headings[-1], body, statements=tuple(split_statements(body))))
        elif language == "text" and blocks:
            blocks[-1].output += [line for line in body.splitlines() if line.strip()]
        elif file_name or (language == "yaml" and body.count("\n") == 1):
            blocks.append(Block(headings[-1], body, file_name[1] if file_name else ""))
    return blocks


def read_inline_commands(page: Path) -> list[str]:
    """Return the commands in a page's prose, each once."""
    return list(dict.fromkeys(" ".join(command.split()) for command in INLINE.findall(read_prose(page))))


def split_statements(text: str) -> Iterator[Statement]:
    """Yield what the shell reads as one: it is asked where a statement ends. A comment of its own belongs to what follows."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += _CRONTAB.sub("", line) if _CRONTAB.match(line) else line
        if line.strip() and not line.startswith("#") and _is_complete(pending):
            yield Statement(pending, _read_codes(pending))
            pending = ""
    if pending.strip("\n") and not pending.startswith("#"):
        raise ValueError(f"The shell does not read this as a whole:\n{pending}")


def _is_complete(text: str) -> bool:
    checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    return checked.returncode == 0 and not checked.stderr


def _read_codes(text: str) -> frozenset[int]:
    comments = " ".join(re.findall(r"(?:^|\s)# ?(.*)", text))
    return frozenset(int(code) for codes in _CODES.findall(comments) for code in re.findall(r"\d+", codes))
