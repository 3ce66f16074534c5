"""Systems that repeat what was sent to them: no password ends on a terminal, in an event, in a file or in the journal."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from remediate.lab import Lab
from remediate.lab.servers import Listener
from tests.cli.conftest import Ended, Remediate

pytestmark = pytest.mark.lab


def spellings(username: str, password: str) -> dict[str, str]:
    """Return what a system may make of a login that it repeats."""
    return {
        "plain": password,
        "base64": base64.b64encode(password.encode()).decode(),
        "Basic": base64.b64encode(f"{username}:{password}".encode()).decode(),
        "JSON in JSON": json.dumps(json.dumps({"password": password})),
        "URL": quote(password, safe=""),
        "URL, every byte": "".join(f"%{byte:02X}" for byte in password.encode()),
        "hexadecimal": password.encode().hex(),
        "HEXADECIMAL": password.encode().hex().upper(),
        "upper case": password.upper(),
        "lower case": password.lower(),
    }


@dataclass
class Repeating:
    """In front of an application: answers requests that have a login with an error that repeats it in every spelling.

    Attributes:
        methods: Those that are answered so; the others reach the application.
        repeated: How often it did.
    """

    app: ASGIApp
    methods: frozenset[str] = frozenset()
    repeated: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = dict(scope["headers"]).get(b"authorization", b"") if scope["type"] == "http" else b""
        if not header or scope["method"] not in self.methods:
            await self.app(scope, receive, send)
            return
        self.repeated += 1
        username, _, password = base64.b64decode(header.partition(b" ")[2]).decode().partition(":")
        # One at a time, as messages are cut; each spelling has its turn.
        all_spellings = list(spellings(username, password).values())
        spelling = all_spellings[self.repeated % len(all_spellings)]
        await JSONResponse({"Message": f"{spelling} is what came ({header.decode()})"}, 400)(scope, receive, send)


@dataclass
class Stage:
    """A lab whose systems can repeat, and all of their output."""

    lab: Lab
    home: Path
    peers: list[Repeating]
    nodes: list[Repeating]
    output: list[str]
    run: Callable[..., Ended]

    def remediate(self, *arguments: str | Path) -> Ended:
        """Run a command with events, and keep its output."""
        events = self.home / f"events-{len(self.output)}.jsonl"
        ended = self.run(*arguments, "-i", self.lab.inventory, "--events", events, "-vv")
        self.output.append(ended.out + ended.err)
        return ended

    def collected(self) -> bytes:
        """Return the output, and every file outside of the lab's own folder."""
        files = [path for path in self.home.rglob("*") if path.is_file() and self.lab.directory not in path.parents]
        return "".join(self.output).encode() + b"".join(path.read_bytes() for path in files)


def put_in_front(listener: Listener) -> Repeating:
    """Put one in front of the running `listener`, from the next connection on."""
    assert listener._server
    config = listener._server.config
    config.loaded_app = front = Repeating(config.loaded_app)
    return front


@pytest.fixture
def stage(tmp_path: Path, remediate: Remediate) -> Iterator[Stage]:
    """Peers and nodes that do not repeat yet."""
    with Lab(tmp_path / "lab", scenario="x15", judge=False) as lab:
        peers = [put_in_front(servers.rest_listener) for servers in lab._servers.values()]
        nodes = [put_in_front(listener) for node in lab.nodes if node.running for listener in node.listeners]
        yield Stage(lab, tmp_path, peers, nodes, [], remediate)


def secrets_in(stage: Stage) -> list[tuple[str, str]]:
    """Which secret, in which spelling, is in what was said and kept."""
    accounts, text = stage.lab.accounts, stage.collected()
    assert b"***" in text
    logins = (
        (accounts.username, accounts.password),
        (accounts.axl_username, accounts.axl_password),
        (accounts.platform_username, accounts.platform_password),
    )
    return [
        (username, spelling)
        for username, password in logins
        for spelling, secret in spellings(username, password).items()
        if secret.strip('"').encode() in text
    ]


def test_nodes_that_repeat_a_login_give_it_to_no_one(stage: Stage) -> None:
    # Given nodes that answer AXL and certificate management with an error that repeats the login
    for node in stage.nodes:
        node.methods = frozenset({"GET", "POST"})
    # When the cluster is looked at and planned for
    for _ in range(3):
        stage.remediate("doctor")
        stage.remediate("collect", "-o", stage.home / "snapshot.json")
        stage.remediate("plan", "-o", stage.home / "plan.json")
    # Then they did repeat it, and it is nowhere
    assert sum(node.repeated for node in stage.nodes) > 10
    assert secrets_in(stage) == []


def test_peers_that_repeat_a_login_to_a_write_give_it_to_no_one(stage: Stage) -> None:
    # Given a plan, and peers that answer every write with an error that repeats the login
    plan = stage.home / "plan.json"
    stage.remediate("plan", "-o", plan)
    for peer in stage.peers:
        peer.methods = frozenset({"POST", "PUT", "DELETE"})
    # When it is applied, and looked at afterwards
    codes = {stage.remediate("apply", plan, "--yes", "--approve-file", stage.lab.approvals).code for _ in range(3)}
    view = stage.run("runs", "show", "last", "--json")
    stage.output.append(view.out + view.err)
    # Then the writes failed with their words, and the login is nowhere
    assert codes <= {1, 3, 8}
    assert sum(peer.repeated for peer in stage.peers) > 0
    assert "is what came" in view.out
    assert secrets_in(stage) == []


def test_peers_that_repeat_a_login_to_a_reading_give_it_to_no_one(stage: Stage) -> None:
    for peer in stage.peers:
        peer.methods = frozenset({"GET"})
    for _ in range(4):
        for command in ("doctor", "verify", "plan"):
            stage.remediate(command)
    assert sum(peer.repeated for peer in stage.peers) > 10
    assert secrets_in(stage) == []
