"""The operator's machine is the executor's."""

from tests.executor.conftest import desk, new_desk

__all__ = ["desk", "new_desk"]
