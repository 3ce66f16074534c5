"""The plan that every view is asked for."""

from __future__ import annotations

import pytest

from remediate.model.plan import Plan
from tests.report.builders import plan_with


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Return a plan with one of everything."""
    return plan_with()
