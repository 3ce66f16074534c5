"""Mails for tests: text, HTML, or both, in any transfer encoding."""

from __future__ import annotations

from email.message import EmailMessage


def make_mail(text: str | None, page: str | None, encoding: str, charset: str = "utf-8") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@corp.example", "b@corp.example", "502 since the upgrade"
    if text is not None:
        message.set_content(text, cte=encoding, charset=charset)
    if page is not None and text is not None:
        message.add_alternative(page, subtype="html", cte=encoding, charset=charset)
    elif page is not None:
        message.set_content(page, subtype="html", cte=encoding, charset=charset)
    return message
