"""The login over SSH: the password answers one prompt that asks for it, once. Any other question is quoted and ends the login."""

from __future__ import annotations

import re
import threading

import paramiko
from paramiko.auth_handler import AuthHandler

from remediate.model.access import PeerAccess
from remediate.model.errors import AccessError, LoginRefused, ObservationError
from remediate.model.limits import Limits
from remediate.model.secret import Secret
from remediate.model.text import mask_and_escape, quote

INTERACTIVE_LOGIN_ADVICE = (
    "Use a local administrator account without a second factor. If the peer requires a new password, log in with ssh and change "
    "the password first."
)

_MAX_PROMPT_CHARACTERS = 200
_MAX_QUOTE_CHARACTERS = 200
_MAX_REQUESTS = 10
"""PAM sends a request without a prompt after the password, and one for each message; a login needs no more than a few."""
_MAX_PROMPTS = 10
_PASSWORD_WORDS = re.compile(
    r"(?<!\w)(password|passwort|kennwort|mot de passe|contrase(ñ|n)a|senha|wachtwoord|lösenord|hasło|пароль|パスワード|密码|密碼)"
    r"( (for|of|pour|de|für|von|para|på) [^ ]+)?",
    re.IGNORECASE,
)
_OTHER_SECRET_WORDS = re.compile(
    r"(?<!\w)(new|neu\w*|nouveau|nuev[ao]|nova|old|alte\w*|ancien|current|previous|next|temporary|second\w*|2nd|zweite\w*|additional|"
    r"retype|re-?enter|again|repeat|confirm\w*|verif\w*|chang\w*|expir\w*|one|einmal|otp|totp|passcode|code|pin|token|securid|duo|"
    r"factor|push|sms|challenge|response|dynamic|option|select|choose|sure|or|oder|ou)(?!\w)",
    re.IGNORECASE,
)


def asks_for_password(prompt: str, *, echo: bool) -> bool:
    """Return whether a prompt of keyboard-interactive (RFC 4256) asks for the password of the account, and for nothing else.

    It must end with the word for a password, or with its owner, and hold no word by which systems ask for a new password or for a
    second factor. What is typed in answer to it must not be shown (`echo`).
    """
    words = " ".join(prompt[: _MAX_PROMPT_CHARACTERS + 1].split()).rstrip(" :\uff1a>")
    # Accounts and hosts may be called anything: ``(admin@new-expc1) Password:``
    beside_names = " ".join(word for word in words.split(" ") if "@" not in word)
    matches = list(_PASSWORD_WORDS.finditer(words))
    return (
        not echo
        and len(prompt) <= _MAX_PROMPT_CHARACTERS
        and len(matches) == 1
        and matches[0].end() == len(words)
        and not _OTHER_SECRET_WORDS.search(beside_names)
    )


class _NotAnswered(paramiko.SSHException):
    """The server asked for something other than the password; nothing was sent."""


class _Conversation(AuthHandler):
    """The questions of the server during the login, and the answers.

    Attributes:
        question: A question that was not answered; None when there is none.
        refused: The password was requested again, so the first one was wrong.
    """

    def __init__(self, transport: paramiko.Transport, password: Secret) -> None:
        super().__init__(transport)
        self._secret = password
        self._sent = False
        self._requests = 0
        self.question: str | None = None
        self.refused = False

    def _parse_userauth_info_request(self, message: paramiko.Message) -> None:
        """Answer a request, in the transport's thread.

        Overrides paramiko's method, which decodes strictly and counts without end.
        """
        if self.auth_method != "keyboard-interactive":
            # In the method "password" this number is SSH_MSG_USERAUTH_PASSWD_CHANGEREQ (RFC 4252, 8).
            self._end(_read_text(message))
        title, instructions = _read_text(message), _read_text(message)
        message.get_binary()  # the language
        count = message.get_int()
        prompts = [(_read_text(message), message.get_boolean()) for _ in range(min(count, _MAX_PROMPTS))]
        self._requests += 1
        if prompts or self._requests > _MAX_REQUESTS:
            self._answer_only_for_password(title, instructions, prompts)
        else:
            self._reply([])

    def _answer_only_for_password(self, title: str, instructions: str, prompts: list[tuple[str, bool]]) -> None:
        if len(prompts) != 1 or not asks_for_password(prompts[0][0], echo=prompts[0][1]):
            self._end(" ".join([title, instructions, *(prompt for prompt, _ in prompts)]))
        if self._sent:
            self.refused = True
            raise _NotAnswered
        self._sent = True
        self._reply([self._secret.reveal()])

    def _reply(self, answers: list[str]) -> None:
        reply = paramiko.Message()
        reply.add_byte(bytes([paramiko.common.MSG_USERAUTH_INFO_RESPONSE]))
        reply.add_int(len(answers))
        for answer in answers:
            reply.add_string(answer)
        # As the overridden method does; the stubs omit it.
        self.transport._send_message(reply)  # type: ignore[attr-defined]  # noqa: SLF001

    def _end(self, question: str) -> None:
        self.question = mask_and_escape(" ".join(question.split()) or "a prompt without text", _MAX_QUOTE_CHARACTERS)
        raise _NotAnswered


def _answer_nothing(title: str, instructions: str, prompts: list[tuple[str, bool]]) -> list[str]:
    """Fill the parameter of paramiko for a function that answers; `_Conversation` replaces it, so it is never called."""
    del title, instructions, prompts
    raise _NotAnswered


def _read_text(message: paramiko.Message) -> str:
    return message.get_binary().decode(errors="replace")


def log_in(transport: paramiko.Transport, access: PeerAccess, username: str, password: Secret, limits: Limits) -> None:
    """Log in with the password, which is sent at most once.

    Raises:
        LoginRefused: The server does not accept this password.
        AccessError: It accepts no password, or requires more than one.
        ObservationError: It did not answer in time.
    """
    methods = _list_methods(transport, access, username)
    if methods is None:
        return
    if not {"password", "keyboard-interactive"} & set(methods):
        raise AccessError(
            f"SSH on {access.address} accepts neither a password nor keyboard-interactive from {username}.",
            next_step="Allow password logins to the shell for this administrator account.",
        )
    conversation, answered = _Conversation(transport, password), threading.Event()
    transport.auth_handler = conversation
    try:
        if "password" in methods:
            conversation.auth_password(username, password.reveal(), answered)
        else:
            conversation.auth_interactive(username, _answer_nothing, answered)
        missing = conversation.wait_for_response(answered)
    except paramiko.SSHException as error:
        raise _make_login_error(
            conversation, error, access, username, limits, timed_out=_has_timed_out(transport, answered)
        ) from error
    if missing:
        raise AccessError(
            (
                f"SSH on {access.address} requires more than a password from {username}: "
                f"{mask_and_escape(', '.join(missing), 80)}."
            ),
            next_step=INTERACTIVE_LOGIN_ADVICE,
        )


def _list_methods(transport: paramiko.Transport, access: PeerAccess, username: str) -> list[str] | None:
    """Return the methods that the server accepts; None when it accepts every login."""
    try:
        return transport.auth_none(username) or None
    except paramiko.BadAuthenticationType as error:
        return list(error.allowed_types)
    except paramiko.AuthenticationException as error:
        raise ObservationError(
            f"SSH on {access.address} did not list its login methods: it ended the session or sent nothing."
        ) from error


def _has_timed_out(transport: paramiko.Transport, answered: threading.Event) -> bool:
    return transport.is_active() and not answered.is_set()


def _make_login_error(
    conversation: _Conversation,
    error: paramiko.SSHException,
    access: PeerAccess,
    username: str,
    limits: Limits,
    *,
    timed_out: bool,
) -> AccessError | ObservationError:
    if conversation.question is not None:
        return AccessError(
            f"SSH on {access.address} asks {username} for more than the password: `{conversation.question}`. It was not answered.",
            next_step=INTERACTIVE_LOGIN_ADVICE,
        )
    if timed_out:
        return ObservationError(f"SSH on {access.address} did not answer the login within {limits.connect_s:g} s.")
    if conversation.refused or isinstance(error, paramiko.AuthenticationException):
        return LoginRefused(f"The shell of {access.address} refuses the login of {username}.")
    return ObservationError(f"The login to the shell of {access.address} was interrupted: {quote(str(error), 120)}.")
