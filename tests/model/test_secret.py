"""Secrets never become text."""

from __future__ import annotations

import json
import pickle

import pytest

from remediate.model.secret import Secret


def test_no_way_to_text_shows_the_secret() -> None:
    secret = Secret("canary-3141")
    for text in (str(secret), repr(secret), f"{secret}", f"{secret!r:>20}", "%s" % secret, str([secret]), str({"a": secret})):  # noqa: UP031
        assert "canary" not in text
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert secret.reveal() == "canary-3141"
    assert secret == Secret("canary-3141") != Secret("other")
    assert len({secret, Secret("canary-3141")}) == 1
