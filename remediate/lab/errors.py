"""Errors of the lab itself."""

from __future__ import annotations

from remediate.model.errors import RemediateError


class LabError(RemediateError):
    """The lab cannot start, or does not run."""

    default_next_step = "See lab.log in the lab's directory; `remediate lab down` and `remediate lab up` start it again."
