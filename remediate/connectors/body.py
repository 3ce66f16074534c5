"""What stands in an answer that is not what was asked for: named for a message, bounded, and harmless to show."""

from __future__ import annotations

import re

from remediate.model.text import mask_and_escape

_LOOKED_AT = 4096
"""Characters of a body that are searched for the signs of a web page."""

_HTML = re.compile(r"<!doctype\s|<html[\s>]", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,80}>([^<]{1,200})", re.IGNORECASE)


def is_html(text: str) -> bool:
    """Whether `text` begins like a web page, by its content: a peer sends its PEM as ``text/html``, too."""
    return bool(_HTML.search(text, 0, _LOOKED_AT))


def describe_body(text: str) -> str:
    """Return in a few words what `text` is: ``a web page (HTML), “Sign in”``."""
    if not text.strip():
        return "nothing"
    if is_html(text):
        title = _TITLE.search(text, 0, _LOOKED_AT)
        return f"a web page (HTML), “{mask_and_escape(' '.join(title[1].split()), 60)}”" if title else "a web page (HTML)"
    return f"`{mask_and_escape(text, 80)}`"
