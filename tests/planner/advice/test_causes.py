"""The remedies of OpenSSL's errors."""

from __future__ import annotations

import pytest

from remediate import Policy
from remediate.planner.advice.causes import list_remedies
from tests.pki import issue

NODE = "cucm.steven.lab"
DEFAULT = Policy()

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(NODE,))
own = issue("cucm-EC.steven.lab", names=(NODE,))


@pytest.mark.parametrize("code", [4, 6, 7, 13, 14, 22, 24, 25, 26, 32, 34, 40, 41, 42, 47, 48, 49, 51, 52, 53, 66, 67, 68, 999])
def test_every_remedy_names_the_certificate_or_the_endpoint(code: int) -> None:
    sentences = list_remedies(code, "'CN={address}'", NODE)
    assert "'CN={address}'" in " ".join(sentences) or NODE in " ".join(sentences)
    assert "{fault}" not in " ".join(sentences)
