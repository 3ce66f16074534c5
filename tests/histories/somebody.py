"""Somebody else, who works on the same devices and asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from remediate.model.certificate import Certificate
from remediate.model.expressway import REVERSE_PROXY_CIPHERS
from remediate.model.identity import Address, CipherList
from remediate.model.plan import Plan, TrustCertificate
from tests.executor.clusters import CIPHERS, OTHER
from tests.executor.memory import MemoryCluster, Write
from tests.executor.memory_device import Device
from tests.pki import issue

THEIRS = tuple(issue(f"CA {number} of somebody else", ca=True).certificate for number in range(3))
THEIR_CIPHERS = CipherList("HIGH")


@dataclass
class Somebody:
    """Changes lists, each change in the chronicle. What is done at a choice follows from it and from how the devices stand.

    Attributes:
        free: Says of a device and a certificate of the plan whether no run may have put it there: only then is it known whose it is.
    """

    cluster: MemoryCluster
    plan: Plan
    free: Callable[[Address, str], bool]
    _ciphers_before: CipherList = field(default=CIPHERS)
    start: dict[Address, tuple[Certificate, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = {device.address: tuple(device.trusted) for device in self.cluster.devices}

    def act(self, choice: int, *, between: bool) -> None:
        """Do something; `between` operations also with certificates of the plan, and more often to put things right."""
        device = self.cluster.devices[choice // 10 % len(self.cluster.devices)]
        match choice % 10:
            case 0 | 1 | 2:
                self._toggle(device, THEIRS[choice // 100 % len(THEIRS)])
            case 3:
                self._toggle(device, OTHER.certificate)
            case 4 | 5:
                self._ciphers()
            case 6 if between:
                self._by_hand(device, choice)
            case _ if between:
                self.put_right()

    def put_right(self) -> None:
        """Take back everything that makes a plan stale."""
        for device in self.cluster.devices:
            for certificate in [certificate for certificate in device.trusted if certificate in THEIRS]:
                self._toggle(device, certificate)
            if OTHER.certificate not in device.trusted:
                self._toggle(device, OTHER.certificate)
        if self.cluster.devices[0].ciphers[REVERSE_PROXY_CIPHERS] == THEIR_CIPHERS:
            self._ciphers()

    def do_what_is_left(self, ours: Collection[tuple[Address, str]], before: Collection[tuple[Address, str]]) -> None:
        """Do by hand what no rollback can: make a list whole that proves nothing, and take out what nobody's run put there.

        Args:
            ours: which certificates of which peers a run put there.
            before: which of them were there when a run began: a list without them proves nothing to its rollback.
        """
        planned = {action.certificate for action in self.plan.actions if isinstance(action, TrustCertificate)}
        for device in self.cluster.devices:
            if OTHER.certificate not in device.trusted:
                self._toggle(device, OTHER.certificate)
            for returned in [
                certificate
                for certificate in device.trusted
                if certificate.fingerprint in planned and (device.address, certificate.fingerprint) not in ours
            ]:
                if returned not in self.start[device.address] and (device.address, returned.fingerprint) not in before:
                    self._toggle(device, returned)

    def _toggle(self, device: Device, certificate: Certificate) -> None:
        if certificate in device.trusted:
            self._say(device, f"remove {certificate.fingerprint}")
            device.trusted.remove(certificate)
        elif certificate == OTHER.certificate:
            self._say(device, f"first {certificate.fingerprint}")
            device.trusted.insert(0, certificate)
        else:
            self._say(device, f"append {certificate.fingerprint}")
            device.trusted.append(certificate)

    def _ciphers(self) -> None:
        """On the primary, as replication would take it away anywhere else: another value, or the one from before it."""
        primary = self.cluster.devices[0]
        now = primary.ciphers[REVERSE_PROXY_CIPHERS]
        if now == THEIR_CIPHERS:
            value = self._ciphers_before
        else:
            value, self._ciphers_before = THEIR_CIPHERS, now
        self._say(primary, f"ciphers {value}")
        primary.ciphers[REVERSE_PROXY_CIPHERS] = value
        self.cluster.lag = max(self.cluster.lag, 1)

    def _by_hand(self, device: Device, choice: int) -> None:
        planned = [
            action for action in self.plan.actions if isinstance(action, TrustCertificate) and device.address in action.peers
        ]
        certificate = self.plan.certificates[planned[choice // 100 % len(planned)].certificate]
        if certificate in device.trusted or self.free(device.address, certificate.fingerprint):
            self._toggle(device, certificate)

    def _say(self, device: Device, text: str) -> None:
        self.cluster.writes.append(Write(device.address, f"somebody {text}"))
