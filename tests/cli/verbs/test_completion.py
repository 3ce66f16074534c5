"""`completion`: the script of each shell."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Remediate


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back_the_program(shell: str, remediate: Remediate) -> None:
    ended = remediate("completion", shell)

    assert ended.code == 0
    assert "_REMEDIATE_COMPLETE" in ended.out


def test_a_completion_script_is_one_json_document(remediate: Remediate) -> None:
    document = remediate("completion", "bash", "--json").document

    assert document["shell"] == "bash"
    assert "_remediate_completion" in document["script"]
