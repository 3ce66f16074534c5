"""One cluster, as a snapshot and as its plan, whose files the tests write, edit and read."""

from __future__ import annotations

import json
from typing import Any

from remediate import Policy, make_plan
from tests.pki import issue
from tests.planner.build import endpoint, peer, snapshot

root = issue("Root", ca=True)
old = issue("cucm.test", names=("cucm.test",), key_name="old")
new = issue("cucm.test", names=("cucm.test",), key_name="new")
leaf = issue("imp.test", root, names=("imp.test",))
SEEN = snapshot(
    [peer(1, [old]), peer(2, [root])],
    [endpoint("cucm.test", rsa=[leaf], ecdsa=[new]), endpoint("imp.test", rsa=[leaf])],
    [root, old, new, leaf],
    available=[root],
    vouched=[root],
)
PLAN = make_plan(SEEN, Policy(allow_removal=True))


def document(text: str) -> dict[str, Any]:
    """Return the JSON object that `text` is."""
    value = json.loads(text)
    assert isinstance(value, dict)
    return value
