"""A node with a certificate of a CA in two levels and one of its own, and the verdict on what it presents."""

from __future__ import annotations

from remediate import Certificate, Verdict, verify_chain
from tests.pki import NOW, issue

ADDRESS = "cucm.steven.lab"

root = issue("steven-DC-CA", ca=True)
issuing = issue("steven-issuing", root, ca=True)
signed = issue("cucmms.steven.lab", issuing, names=(ADDRESS,))
own = issue("cucm-EC.steven.lab", names=(ADDRESS,))


def judged(presented: list[Certificate], trusted: list[Certificate], address: str | None = ADDRESS) -> Verdict:
    """Return the verdict on `presented` against `trusted`; None: on the chain alone."""
    return verify_chain(presented, trusted, address, NOW)
