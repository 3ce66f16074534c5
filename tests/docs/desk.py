"""An operator's desk: a lab, a folder with what the pages take for granted, and a shell in which a page is typed, line by line."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from remediate.lab import Lab
from remediate.lab.scenario import Removal
from tests.connectors.evidence.captures import Parties, capture, record_handshake, segments
from tests.docs.pages import ROOT, Statement
from tests.docs.preloaded import write_client
from tests.pki import issue

PROGRAMS = Path(sys.executable).parent
_TYPED = "yes\n" * 12

_PLAN = "remediate plan -q -i inventory.yml --approve-file seen.txt -o .scene.json"
_APPLY = "remediate apply -q .scene.json -i inventory.yml --yes --restart never"
SCENES = {
    "remediate confirm": f"remediate rollback last -q -i inventory.yml --yes; {_PLAN}; {_APPLY} --confirm-within 15m",
    "remediate runs show": f"{_PLAN}; {_APPLY}",
    "remediate lab up": "remediate lab down",
    "remediate lab mra": "remediate lab up",
}
"""What has to be the case for a command that ended with 1, and what brings it about."""
REFUSED = {f"remediate workaround off -i inventory.yml{option}": {7} for option in ("", " --dry-run")}
"""What the lab's story has refused: its voicemail cannot be verified, so clients would lose it."""


@dataclass(frozen=True)
class Result:
    """How a statement ended.

    Attributes:
        calls: The command lines of `remediate` in it, each with its exit code.
    """

    code: int
    output: str
    calls: Sequence[tuple[list[str], int]]


@dataclass
class Desk:
    """A folder in which the commands of a page run, on a lab that may be written to.

    Attributes:
        cluster: The name of the cluster in the inventory.
        words: What stands on a page for something of the reader's, and what it is here.
        answers: What is typed for a command that asks for more than `yes`.
        has_platform_account: Whether certificate management is read, which vouches for what it shows.
    """

    folder: Path
    lab: Lab
    cluster: str
    calls: Path
    words: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    has_platform_account: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the operator's shell."""
        variables = {key: value for key, value in os.environ.items() if not key.startswith(("REMEDIATE_", "COVERAGE_"))}
        peer = self.lab.peers[0]
        return variables | {
            "PATH": f"{self.folder / 'bin'}:{PROGRAMS}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),  # where the runs of one user lock a cluster by its name: that of other labs is the same
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "playbooks" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            **{f"ANSIBLE_{name}": str(self.folder / f".ansible-{name}") for name in ("HOME", "LOCAL_TEMP", "REMOTE_TEMP")},
            "REMEDIATE_LANG": "en",
            "EXPC_PASSWORD": self.lab.accounts.password,
            "REMEDIATE_REST_PORT": str(peer.rest_port),
            "REMEDIATE_SSH_PORT": str(peer.ssh_port),
        }

    @property
    def inventory(self) -> str:
        """The text of the inventory."""
        text = self.lab.inventory.read_text().replace("name: edge-lab", f"name: {self.cluster}")
        if self.has_platform_account:
            text = text.replace("# platform_credentials", "platform_credentials")
        return re.sub(r"\b(secrets|pki)/", rf"{self.lab.directory}/\1/", text)

    def add_program(self, name: str, script: str) -> None:
        """Put a program of others on the PATH; it also writes its arguments to a file."""
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\n[ -t 0 ] && exec < /dev/null\necho "$@" > {self.folder}/{name}.arguments\n{script}\n')
        path.chmod(0o700)

    def fill_in(self, text: str) -> str:
        """Put what is here in the place of what stands on the page for the reader's own."""
        for pattern, replacement in self.words.items():
            text = re.sub(pattern, replacement.replace("\\", r"\\"), text)
        return text

    def write(self, name: str, text: str) -> None:
        """Write a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    def set_key(self, line: str) -> None:
        """Put a key into the inventory: in the place of the first one of that name, or as a key of the cluster."""
        path, key = self.folder / "inventory.yml", line.partition(":")[0]
        text, count = re.subn(rf"\b{key}: .*", line.strip().replace("\\", r"\\"), path.read_text(), count=1)
        path.write_text(text if count else text.replace("    expressway:\n", f"    {line.strip()}\n    expressway:\n", 1))

    def clear_inventories(self, text: str) -> None:
        """Take away what a command line of `init` would write."""
        for path in (*self.folder.glob("inventory/*.yml"), self.folder / "inventory.yml"):
            if path.parent != self.folder if "inventory/" in text else path.exists():
                path.unlink()

    def complete_inventories(self) -> None:
        """Give each inventory that `init` wrote what only a person knows: the nodes of a lab have no names in a DNS."""
        for path in self.folder.glob("inventory*/*.yml"):
            name = path.stem if path.stem.startswith("edge-") else self.cluster
            path.write_text(self.inventory.replace(f"name: {self.cluster}", f"name: {name}"))
        self.write("inventory.yml", self.inventory)

    def take_calls(self) -> list[tuple[list[str], int]]:
        """Return the command lines since the last look, with their exit codes."""
        calls = [json.loads(line) for line in self.calls.read_text().splitlines()] if self.calls.exists() else []
        self.calls.write_text("")
        return [(arguments, code) for arguments, code in calls]


class Shell:
    """One bash that a page is typed into. What it exports, changes and remembers holds for the next statement."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        orders, self._orders = os.pipe()
        self._codes, codes = os.pipe()
        loop = f'while read -r -u {orders} statement; do source "$statement"; echo $? >&{codes}; done'
        self._process = subprocess.Popen(["bash", "-c", loop], cwd=desk.folder, env=desk.environment, pass_fds=(orders, codes))
        os.close(orders)
        os.close(codes)

    def run(self, statement: Statement) -> Result:
        """Type a statement, with a terminal on which it may ask; five minutes pass before it."""
        self._let_time_pass()
        if statement.makes_inventory:
            self.desk.clear_inventories(statement.text)
        self.desk.take_calls()
        folder = self.desk.folder / ".typed"
        folder.mkdir(exist_ok=True)
        script, output = folder / "statement.sh", folder / "output.txt"
        with _open_terminal(self._answers_to(statement.text)) as terminal:
            # In braces it runs in this very shell; the code of the statement before is there for `$?`.
            text = self.desk.fill_in(statement.text)
            script.write_text(f"{{\n{text}\n}} <{terminal} >{output} 2>&1\n")
            os.write(self._orders, f"{script}\n".encode())
            code = os.read(self._codes, 100).decode().strip()
        if statement.makes_inventory:
            self.desk.complete_inventories()
        return Result(int(code or self._process.wait()), output.read_text(), self.desk.take_calls())

    def close(self) -> None:
        """End the shell."""
        os.close(self._orders)
        os.close(self._codes)
        self._process.wait()

    def _answers_to(self, text: str) -> str:
        return next((typed for pattern, typed in self.desk.answers.items() if re.search(pattern, text)), _TYPED)

    def _let_time_pass(self) -> None:
        """Forget the sign-ins of clients, here and on the peers' edges."""
        self.desk.lab.forget_clients()
        for count in self.desk.folder.rglob("sign-ins*"):
            if count.is_file():
                count.unlink()


@contextmanager
def _open_terminal(typed: str) -> Iterator[str]:
    """Yield the name of a terminal on which something was typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        yield os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def set_up_desk(folder: Path, lab: Lab, server: Path, calls: Path, page: str) -> Desk:
    """Make the folder that a page's reader is in: inventories, programs, and files from elsewhere.

    Args:
        folder: An empty folder.
        lab: A running lab.
        server: The address of the server that runs `remediate`.
        calls: Where that server writes what it ran.
        page: The text of the page: what it does not name is not made.
    """
    cluster = re.search("edge-(lab|paris)", page)
    desk = Desk(folder, lab, cluster[0] if cluster else "edge-lab", calls)
    desk.has_platform_account = bool(re.search("cucm.trust", page))
    lab.faults.restart_s, lab.faults.connect_s = 0.2, 0.1
    for peer in lab.peers:
        lab.faults.describe(peer.address, removal=Removal.FINGERPRINT)
    (folder / "bin").mkdir()
    write_client(folder / "bin" / "remediate", server)
    desk.add_program("vault", f"cat {lab.directory}/secrets/expressway")
    desk.add_program("ticket", f'echo "$@" >> {folder}/notes; cat >> {folder}/notes')
    desk.words = _list_words(desk)
    secrets = lab.directory / "secrets"
    account = f"{lab.accounts.username}\nfile {secrets / 'expressway'}"
    axl = f"{lab.accounts.axl_username}\nfile {secrets / 'axl'}"
    desk.answers = {
        r"^remediate init --csv": f"{account}\n{axl}\n{_TYPED}",
        r"^remediate init": f"yes\n{account}\nyes\n{desk.cluster}\n{axl}\n",
    }
    desk.write("inventory.yml", desk.inventory)
    desk.write(f"inventory/{desk.cluster}.yml", desk.inventory)
    desk.write(f"etc/remediate/inventory/{desk.cluster}.yml", desk.inventory)
    desk.write("etc/remediate/inventory.yml", desk.inventory)
    desk.write("seen.txt", lab.approvals.read_text())
    desk.write("pki/corporate.pem", (lab.directory / "pki" / "corporate.pem").read_text())
    for place in (".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"):
        (folder / place).mkdir(parents=True)
    desk.write("var/lib/node_exporter/README", "")
    for name, make in _FILES.items():
        if name in page:
            make(desk, name)
    return desk


def _list_words(desk: Desk) -> dict[str, str]:
    peers = desk.lab.peers
    now = datetime.now(UTC)
    window = f"{now - timedelta(hours=2):%H:%M}/{now + timedelta(hours=8):%H:%M} UTC"
    return {
        r"\bINV\b": "inventory.yml",
        r"ssh-keyscan expc1\.example\.test": f"ssh-keyscan -p {peers[0].ssh_port} {peers[0].address}",
        r"expc1\.example\.test:443": f"{peers[0].address}:{peers[0].rest_port}",
        **{rf"expc{number}\.example\.test": peer.address for number, peer in enumerate(peers, 1)},
        r"cucm\.example\.test": "cucm.steven.lab",
        r"'22:00/02:00 Europe/Paris'": f"'{window}'",
        r"--for 10m": "--for 1s",
        r"\bRUN\b|261123-101500-4f2a": "last",
        r"--like FILE": "--like recording.json",
        r"--csv FILE": "--csv clusters.csv",
        r"\bFILE\b": "file.out",
        r"\bADDRESS\b": peers[0].address,
        r"(?<=\s)/(?=etc/|var/)": f"{desk.folder}/",
    }


def _write_list(desk: Desk, name: str) -> None:
    desk.write(name, "".join(certificate.pem for certificate in desk.lab.peers[0].trusted))


def _write_chain(desk: Desk, name: str) -> None:
    node = desk.lab.nodes[0].spec
    desk.write(name, next(iter(desk.lab.pki.of_service(node, node.services[0]).values())).certificate.pem)


def _write_approvals(desk: Desk, name: str) -> None:
    desk.write(name, desk.lab.approvals.read_text())


def _write_nodes(desk: Desk, name: str) -> None:
    rows = [f"{node.address},{node.spec.product},{node.connect_to}" for node in desk.lab.nodes]
    desk.write(name, "\n".join(["address,product,connect_to", *rows, ""]))


def _write_capture(desk: Desk, name: str) -> None:
    leaf = issue("cucm-EC.steven.lab", names=("cucm.steven.lab",))
    (desk.folder / name).write_bytes(capture(segments(record_handshake([[leaf]]), Parties(port=6972))))


def _write_archive(desk: Desk, name: str) -> None:
    """Write the diagnostic archive of the first peer, or of the one that the name ends with, while a client was refused."""
    logs, peer = desk.lab.diagnostics, desk.lab.peers[1 if name.startswith("expc2") else 0]
    logs.request(peer, {"Mode": "start"})
    desk.lab.ask(0, "imp.steven.lab", 8443)
    logs.request(peer, {"Mode": "stop"})
    logs.request(peer, {"Mode": "collect"})
    while logs.status(peer) != "Ready to download":
        pass
    (desk.folder / name).write_bytes(logs.request(peer, {"Mode": "download"}).file or b"")
    logs.forget()


def _write_log(desk: Desk, name: str) -> None:
    desk.write(name, "nothing of the traffic server\n")


_FILES: dict[str, Any] = {
    "trusted.pem": _write_list,
    "presented.pem": _write_chain,
    "approved.txt": _write_approvals,
    "fingerprints.txt": _write_approvals,
    "nodes.csv": _write_nodes,
    "clusters.csv": lambda desk, name: desk.write(name, f"cluster,peer\n{desk.cluster},{desk.lab.peers[0].address}\n"),
    "eth0.pcap": _write_capture,
    "expc1.pcap": _write_capture,
    "diagnostic_log.tar.gz": _write_archive,
    "expc1.tar.gz": _write_archive,
    "expc2.tar.gz": _write_archive,
    "diags.log": _write_log,
    "logs/": lambda desk, name: _write_log(desk, f"{name}log.txt"),
}
"""What reaches an operator from elsewhere, by its name on the pages."""
