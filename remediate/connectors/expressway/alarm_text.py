"""The alarms in the answer to ``xStatus Alarm``. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence

from remediate.connectors.expressway.status_text import StatusGroup, StatusNotUnderstood
from remediate.model.health import PeerAlarm
from remediate.model.text import mask_and_escape

BLOCK_NAMES = ("alarm", "alarms")

_NUMBER = re.compile(r"\d{5}")
_NOT_RAISED = frozenset({"lowered", "cleared"})
_IDENTIFIERS = ("id", "alarmid", "alarm id")
_TITLES = ("title", "alarm", "reason", "name", "description")


def parse_alarms(blocks: Sequence[StatusGroup]) -> tuple[PeerAlarm, ...]:
    """Return the raised alarms, acknowledged ones too. There are none only where the peer prints an empty list.

    One block may hold them all, or each has its own: both occur for lists of ``xStatus``.

    Raises:
        StatusNotUnderstood: An alarm has no number, so that nothing is known of what it means.
    """
    alarms = []
    for group in (group for block in blocks for group in _groups_of(block)):
        number = group.value(*_IDENTIFIERS) or ""
        if not _NUMBER.fullmatch(number):
            raise StatusNotUnderstood(f"its `{mask_and_escape(group.name, 40)}` has no number of an alarm")
        if (group.value("state", "status") or "").casefold() not in _NOT_RAISED:
            title, severity = group.value(*_TITLES) or "", group.value("severity") or ""
            alarms.append(PeerAlarm(number, mask_and_escape(title, 200), mask_and_escape(severity, 40)))
    return tuple(alarms)


def _groups_of(block: StatusGroup) -> Sequence[StatusGroup]:
    if block.empty and " " not in block.name:
        return ()
    return block.groups if block.groups and not block.values else (block,)
