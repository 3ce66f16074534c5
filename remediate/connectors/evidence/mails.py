"""Mails as archives of their decoded parts and attachments, split by the standard library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import Final

from remediate.connectors.evidence.budget import CannotRead
from remediate.connectors.evidence.plain_text import has_refusal_words

_SEPARATOR: Final = re.compile(rb"^From [^\n]{0,300}\n", re.MULTILINE)
_BOUNDARY: Final = re.compile(rb"boundary=", re.IGNORECASE)
_MAX_BOUNDARIES: Final = 40
"""Each nested multipart adds a boundary that every line is compared with."""
_MAX_LINES: Final = 1_000_000
_SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})


@dataclass(frozen=True, slots=True)
class Part:
    """A text or an attachment of a mail. `name` is text from the mail."""

    name: str
    data: bytes


def split_mail(data: bytes) -> Iterator[Part]:
    """Yield the parts of the mail, or of the mails of an mbox file, in `data`.

    Raises:
        CannotRead: The mail is broken, or too deeply nested to be split in reasonable time.
    """
    mails = [mail for mail in _SEPARATOR.split(data) if mail.strip()] if data.startswith(b"From ") else [data]
    for number, mail in enumerate(mails, 1):
        if len(_BOUNDARY.findall(mail)) > _MAX_BOUNDARIES or mail.count(b"\n") > _MAX_LINES:
            raise CannotRead(f"it is a mail with more than {_MAX_BOUNDARIES} parts in each other, or {_MAX_LINES} lines")
        mail_name = f"mail {number}, " if len(mails) > 1 else ""
        try:
            message = message_from_bytes(mail.lstrip(), policy=policy.compat32)
            for position, part in enumerate(_select_parts(message), 1):
                name = part.get_filename() or part.get_content_type()
                yield Part(f"{mail_name}part {position} ({name})".encode(errors="replace").decode(), _decode_content(part))
        except (AttributeError, TypeError) as error:
            # The standard library's parser raises these for headers that are no text.
            raise CannotRead(f"it is a broken mail: {error}") from error


def _select_parts(message: Message) -> Iterator[Message]:
    """Yield the parts with content; of alternatives, the first with the words of a refusal, or else the last."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_type() in _SIGNATURES:
            continue
        if not part.is_multipart():
            yield part
            continue
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        if part.get_content_type() == "multipart/alternative":
            with_refusals = (child for child in children if has_refusal_words(_decode_content(child)))
            waiting.append(next(with_refusals, children[-1]))
        else:
            waiting.extend(reversed(children))


def _decode_content(part: Message) -> bytes:
    """Return the content of a part; a text as UTF-8."""
    if part.is_multipart():
        return b""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    if part.get_content_maintype() != "text" or charset in {"utf-8", "us-ascii"}:
        return data
    try:
        return data.decode(charset, errors="replace").encode(errors="replace")
    except (LookupError, UnicodeError):
        return data
