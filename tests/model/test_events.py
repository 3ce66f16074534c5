"""Events: no secret leaves in one."""

from __future__ import annotations

from remediate.model.events import Event
from remediate.model.secret import Secret


def test_no_event_holds_a_secret() -> None:
    password = Secret("canary-2718").reveal()

    event = Event("peer-read", f"It says {password}.", fields={"said": password, "count": 3, "error": None})

    assert password not in f"{event.message} {event.fields['said']}"
    assert (event.fields["count"], event.fields["error"]) == (3, None)
