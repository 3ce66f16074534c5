"""Mails as archives: what stands in their parts, decoded, and what is attached. The standard library takes them apart."""

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
_MOST_BOUNDARIES: Final = 40
"""Each level of parts is one more boundary that every line is compared with."""
_MOST_LINES: Final = 1_000_000
_SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})


@dataclass(frozen=True, slots=True)
class Part:
    """A text or an attachment of a mail. `name` is text from the mail."""

    name: str
    data: bytes


def parts_of(data: bytes) -> Iterator[Part]:
    """Give the parts of the mail, or of the mails one after the other, in `data`.

    Raises:
        CannotRead: it is a mail as nobody writes one, and would take long to take apart.
    """
    mails = [mail for mail in _SEPARATOR.split(data) if mail.strip()] if data.startswith(b"From ") else [data]
    for number, mail in enumerate(mails, 1):
        if len(_BOUNDARY.findall(mail)) > _MOST_BOUNDARIES or mail.count(b"\n") > _MOST_LINES:
            raise CannotRead(f"it is a mail with more than {_MOST_BOUNDARIES} parts in each other, or {_MOST_LINES} lines")
        where = f"mail {number}, " if len(mails) > 1 else ""
        try:
            message = message_from_bytes(mail.lstrip(), policy=policy.compat32)
            for position, part in enumerate(_leaves(message), 1):
                name = part.get_filename() or part.get_content_type()
                yield Part(f"{where}part {position} ({name})".encode(errors="replace").decode(), _content(part))
        except (AttributeError, TypeError) as error:
            # What the standard library's reader of mails falls over in headers that are no text.
            raise CannotRead(f"it is a broken mail: {error}") from error


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something; of a text in several forms, the first that tells of a refusal, or else the last."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_type() in _SIGNATURES:
            continue
        if not part.is_multipart():
            yield part
            continue
        inside = [each for each in part.get_payload() if isinstance(each, Message)]
        if part.get_content_type() == "multipart/alternative":
            telling = (form for form in inside if has_refusal_words(_content(form)))
            waiting.append(next(telling, inside[-1]))
        else:
            waiting.extend(reversed(inside))


def _content(part: Message) -> bytes:
    """What the part holds; a text as UTF-8."""
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
