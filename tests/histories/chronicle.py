"""What truly happened on the devices, told from their own records: ours and somebody else's, in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from remediate.model.identity import Address, CipherList
from tests.executor.memory import Write

NOBODY = Address("")
"""In the place of a peer, for lines that say where an operation begins."""


@dataclass(frozen=True)
class Mark:
    """Who did something that is in effect: which run, in which operation, with the how-many-eth line of the chronicle."""

    run: str
    at: int


@dataclass
class Ledger:
    """The cluster as the chronicle makes it, and whose everything is.

    Attributes:
        lists: each peer's trusted CA list.
        ours: what of it a run added, and is still there.
        cipher: the primary's cipher list; `setter` is the run that set it, None: somebody else, or nobody yet.
        did: everything that a run ever did: run, peer, words.
        wrong: what must never happen, whatever went before.
        unseen: peers, and which of their lists, that somebody changed and nobody looked at since.
        refused: devices said no to what they did. Of what no reading tells (a refresh, a restart), nobody can know better.
    """

    lists: dict[Address, list[str]]
    cipher: CipherList
    before: CipherList
    after: CipherList
    ours: dict[tuple[Address, str], Mark] = field(default_factory=dict)
    setter: Mark | None = None
    did: Counter[tuple[str, Address, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    unseen: set[tuple[Address, str]] = field(default_factory=set)
    refused: int = 0
    _restarts: Counter[tuple[str, Address, int]] = field(default_factory=Counter)
    _run: str = ""
    _verb: str = ""
    _undone: list[int] = field(default_factory=list)

    def unrelated(self, peer: Address) -> list[str]:
        """The list of `peer` without what is ours."""
        return [certificate for certificate in self.lists[peer] if (peer, certificate) not in self.ours]

    def live(self, run: str) -> list[tuple[Address, str]]:
        """What of `run` is in effect: peers with certificates, and the cipher list as the certificate ``cipher``."""
        listed = [key for key, mark in self.ours.items() if mark.run == run]
        return [*listed, *([(NOBODY, "cipher")] if self.setter and self.setter.run == run else [])]

    def tell(self, at: int, line: Write, runs: Mapping[int, str]) -> None:
        """Take in one line."""
        verb, _, argument = line.action.partition(" ")
        if verb == "operation":
            number, _, self._verb = argument.partition(" ")
            self._run, self._undone = runs.get(int(number), ""), []
        elif verb == "somebody":
            self.unseen.add((line.peer, "ciphers" if argument.startswith("ciphers") else "trusted_ca"))
            self._apply_other(line.peer, *argument.split(" ", 1))
        elif verb == "looked":
            self.unseen.discard((line.peer, argument))
        else:
            self._ours(at, line, verb, argument)

    def _apply_other(self, peer: Address, verb: str, argument: str) -> None:
        if verb == "append":
            self.lists[peer].append(argument)
        elif verb == "first":
            self.lists[peer].insert(0, argument)
        elif verb == "remove":
            self.lists[peer].remove(argument)
            self.ours.pop((peer, argument), None)
        else:
            self.cipher, self.setter = CipherList(argument), None

    def _ours(self, at: int, line: Write, verb: str, argument: str) -> None:
        self.did[self._run, line.peer, line.action] += 1
        if verb == "append":
            self._append(at, line.peer, argument)
        elif verb == "remove":
            self._remove(line.peer, argument)
        elif verb == "cipher":
            self._set(at, line.peer, CipherList(argument.split(" ", 1)[1]))
        elif verb == "refresh" and self.did[self._run, line.peer, line.action] > 1 + self.refused:
            self.wrong.append(f"{line} was done twice in one run")
        elif verb == "restart" and self._verb != "restart":
            self._restart(line)

    def _restart(self, line: Write) -> None:
        """A run restarts a peer once for what it wrote until then."""
        writes = sum(number for (run, _, action), number in self.did.items() if run == self._run and _changes_a_list(action))
        self._restarts[self._run, line.peer, writes] += 1
        if self._restarts[self._run, line.peer, writes] > 1 + self.refused:
            self.wrong.append(f"{line} was done twice in one run")

    def _append(self, at: int, peer: Address, fingerprint: str) -> None:
        if fingerprint in self.lists[peer]:
            self.wrong.append(f"{fingerprint} was added to {peer}, where it was already")
        if self._verb != "apply":
            self.wrong.append(f"a {self._verb} added {fingerprint} to {peer}")
        self.lists[peer].append(fingerprint)
        self.ours[peer, fingerprint] = Mark(self._run, at)

    def _remove(self, peer: Address, fingerprint: str) -> None:
        mark = self.ours.pop((peer, fingerprint), None)
        if fingerprint in self.lists[peer]:
            self.lists[peer].remove(fingerprint)
        if mark is None or mark.run != self._run:
            self.wrong.append(f"{fingerprint} was removed from {peer}, and this run had not added it")
            return
        self._backwards(mark)

    def _set(self, at: int, peer: Address, value: CipherList) -> None:
        if value == self.cipher:
            self.wrong.append(f"the cipher list of {peer} was set to what it was: {value}")
        if self.cipher not in {self.before, self.after} and (peer, "ciphers") not in self.unseen:
            self.wrong.append(f"{self.cipher} of somebody else was seen on {peer}, and overwritten with {value}")
        if value == self.before and self.setter:
            self._backwards(self.setter)
        self.cipher = value
        self.setter = Mark(self._run, at) if value == self.after else None

    def _backwards(self, mark: Mark) -> None:
        if self._undone and mark.at > self._undone[-1]:
            self.wrong.append("what was done first was undone before what was done later")
        self._undone.append(mark.at)


def _changes_a_list(action: str) -> bool:
    return action.split(" ", maxsplit=1)[0] in {"append", "remove", "cipher"}


def make_ledger(
    start: Mapping[Address, Sequence[str]],
    ciphers: tuple[CipherList, CipherList],
    lines: Iterable[Write],
    runs: Mapping[int, str],
    refused: int,
) -> Ledger:
    """Tell the chronicle from its start. `ciphers`: before the plan, and as the plan wants them; `runs`: by operation."""
    before, after = ciphers
    ledger = Ledger({peer: list(listed) for peer, listed in start.items()}, before, before, after, refused=refused)
    for at, line in enumerate(lines):
        ledger.tell(at, line, runs)
    return ledger
