"""Wait for what the cluster does by itself, by looking, never by trusting a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remediate.executor.ports import PeerPort
from remediate.executor.sending import ChangeFailed
from remediate.model.errors import ObservationError
from remediate.model.identity import Address, CipherList
from remediate.model.limits import Limits


def wait_for_replication(
    boxes: Sequence[PeerPort],
    name: str,
    value: CipherList,
    *,
    limits: Limits,
    pause: Callable[[float], None],
    check: Callable[[], None],
) -> None:
    """Look until every peer has the cipher list; `check` is called between looks and may raise to stop.

    Raises:
        ChangeFailed: a peer did not take it over within the limit.
    """
    behind = list(boxes)
    for _ in range(max(1, int(limits.replication_s / limits.replication_poll_s))):
        behind = [box for box in behind if not _has(box, name, value)]
        if not behind:
            return
        check()
        pause(limits.replication_poll_s)
    names = ", ".join(_addresses(behind))
    raise ChangeFailed(f"{names} did not take over {name} from the primary within {limits.replication_s:.0f} s.")


def _has(box: PeerPort, name: str, value: CipherList) -> bool:
    try:
        return box.ciphers().get(name) == value
    except ObservationError:
        return False


def _addresses(boxes: Sequence[PeerPort]) -> list[Address]:
    return [box.address for box in boxes]
