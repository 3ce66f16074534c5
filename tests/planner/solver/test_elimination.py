"""The elimination of variables."""

from __future__ import annotations

import pytest

from remediate import Certificate, Policy
from remediate.planner.solver.elimination import Table, TooManyRowsError, minimise
from tests.pki import Entity, issue

NODE = "node.lab"
FEW = "were tried"

root = issue("Exact root", ca=True)
issuing = issue("Exact issuing", root, ca=True)
leaf = issue(NODE, issuing, names=(NODE,))
unreadable = Entity(Certificate.from_der(b"\x30\x03\x02\x01\x01"), root.private_key, root.name)
removing = Policy(allow_removal=True)


def test_too_many_rows_raise_an_error() -> None:
    table = Table(("one", "other"), {(first, second): (first + second,) for first in range(3) for second in range(3)})
    single = Table(("one",), {(value,): (value,) for value in range(3)})
    assert minimise([table, single]) == {"one": 0, "other": 0}
    with pytest.raises(TooManyRowsError):
        minimise([table, single], max_rows=1)
