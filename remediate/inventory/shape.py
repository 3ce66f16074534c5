"""Shape of an inventory file: one model for its checks, for the places of mistakes, and for the published schema.

A check raises PydanticCustomError of the kind `PREDICATE` (what is wrong with the value, to follow its name) or `SENTENCE`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from remediate.model.access import Discovery
from remediate.model.fingerprints import read_fingerprint, read_host_key
from remediate.model.identity import Address, Fingerprint, Product, host_within, is_host
from remediate.model.plan import CipherPolicy
from remediate.model.restart import Calls, Restart

PREDICATE = "predicate"
SENTENCE = "sentence"
SOURCES = ("env", "file", "command", "keyring", "prompt")
FORMAT_VERSION = 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def _predicate(text: str) -> PydanticCustomError:
    # What pydantic would fill into a message is not used: a value may be a password.
    return PydanticCustomError(PREDICATE, "{text}", {"text": text})


def _sentence(text: str) -> PydanticCustomError:
    return PydanticCustomError(SENTENCE, "{text}", {"text": text})


def _check_text(text: str) -> str:
    if not text.strip():
        raise _predicate("is empty.")
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise _predicate("has a NUL character or half of a surrogate pair, which is not allowed.")
    return text


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise _predicate("may have letters, digits, dots, hyphens and underscores only: it also names files.")
    return name


def _check_host(text: str) -> Address:
    if not is_host(text):
        host = host_within(text)
        right = f": {host}; the port has a key of its own (`ports`, `rest_port`, `ssh_port`)" if host else ""
        raise _predicate(f"must be a single host name or IP address, without scheme, port, brackets or trailing dot{right}.")
    return Address(text)


def _check_fingerprint(text: str) -> Fingerprint:
    fingerprint = read_fingerprint(text)
    if fingerprint is None:
        raise _predicate("must be `sha256:` and the 64 hexadecimal digits of the certificate's SHA-256.")
    return fingerprint


def _check_host_key(text: str) -> str:
    host_key = read_host_key(text)
    if host_key is None:
        raise _predicate("must be `SHA256:` and 43 characters, as `ssh-keygen -lf` prints it.")
    return host_key


def _check_domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise _predicate("must be the domain that clients sign in with, such as example.test.")
    return text


def _check_url(text: str) -> str:
    # The port is required: clients use 8443, and a URL without a port means 443.
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme == "http":
        raise _predicate("must begin with https://, so that only the Expressway-E it names can answer.")
    extra = "@" in parts.netloc or parts.path not in {"", "/"} or parts.query or parts.fragment
    if parts.scheme != "https" or not is_host(host) or not port or extra:
        # Not quoted: a URL with an account holds a password.
        raise _predicate("must be https://HOST:PORT and nothing else, such as https://expe1.example.test:8443.")
    return text


def _resolve_path(value: object, info: ValidationInfo) -> Path:
    """Return a path, relative to the inventory file, with ``~`` and ``~USER`` as home directories."""
    if not isinstance(value, str):
        raise PydanticCustomError("string_type", "no text")
    text = _check_text(value)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise _predicate(f"is `{text}`, but this machine has no home directory of that user.") from error
    return Path((info.context or {}).get("folder", ".")) / path


def _check_exists(path: Path) -> Path:
    try:
        path.stat()
    except FileNotFoundError as error:
        raise _predicate(f"names {path}, which does not exist.") from error
    except OSError as error:
        raise _predicate(f"names {path}, which cannot be read: {error.strerror}.") from error
    return path


def _check_version(version: int) -> int:
    if version != FORMAT_VERSION:
        raise _sentence(f"this remediate reads inventory version {FORMAT_VERSION}, not {version}.")
    return version


Text = Annotated[str, AfterValidator(_check_text)]
Host = Annotated[Address, AfterValidator(_check_text), AfterValidator(_check_host)]
FilePath = Annotated[Path, BeforeValidator(_resolve_path)]
ExistingPath = Annotated[FilePath, AfterValidator(_check_exists)]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PasswordShape(_Shape):
    """Where a password comes from: exactly one of these, and never the password."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Text | None = Field(None, description="The environment variable that holds it.")
    file: FilePath | None = Field(None, description="The file that holds it; only its owner may read it.")
    command: list[Text] | None = Field(None, min_length=1, description="The program that prints it, and its arguments.")
    keyring: Text | None = Field(None, description="The service in the system's keyring; the user is `username`.")
    prompt: bool | None = Field(None, description="True: it is asked for.", json_schema_extra={"const": True})

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise _predicate(f"must have exactly one of {', '.join(SOURCES)}, but has {len(self.model_fields_set)}.")
        if self.prompt is False:
            raise _sentence("`prompt` can only be true; for no question, use another source.")
        return self


class AccountShape(_Shape):
    """An account."""

    username: Text
    password: PasswordShape


class TlsShape(_Shape):
    """How a web certificate is trusted: by its fingerprint, or by a CA."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    fingerprint: Annotated[Fingerprint, AfterValidator(_check_fingerprint)] | None = Field(
        None, description="`sha256:` and the SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it."
    )
    ca: ExistingPath | None = Field(None, description="CA certificates: a file (PEM, DER, PKCS#7) or a folder.")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise _predicate("must have either `fingerprint` or `ca`.")
        return self


class SshShape(_Shape):
    """How an SSH host key is trusted: by its fingerprint, or by a known_hosts file."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    host_key: Annotated[Text, AfterValidator(_check_host_key)] | None = Field(
        None, description="`SHA256:` and 43 characters, as `ssh-keygen -lf` prints it."
    )
    known_hosts: ExistingPath | None = Field(None, description="A known_hosts file.")

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise _predicate("must have either `host_key` or `known_hosts`.")
        return self


class MraShape(_Shape):
    """The way of a client through this peer alone."""

    url: Annotated[Text, AfterValidator(_check_url)] = Field(description="https://HOST:PORT of the Expressway-E.")
    tls: TlsShape | None = None
    domain: Annotated[Text, AfterValidator(_check_domain)] | None = Field(
        None, description="The domain that clients sign in with."
    )
    credentials: AccountShape | None = Field(None, description="An end user of Unified CM that may use MRA.")


class PeerShape(_Shape):
    """A peer of the Expressway-C cluster."""

    address: Host
    rest_port: Port = Field(443, description="The port of its web administration.")
    ssh_port: Port = Field(22, description="The port of its shell.")
    tls: TlsShape | None = Field(None, description="Left out: the system's CA store.")
    ssh: SshShape | None = Field(None, description="Left out: the user's known_hosts.")
    mra: MraShape | None = None


class ExpresswayShape(_Shape):
    """The Expressway-C cluster: one peer is enough, the others come from the cluster itself."""

    username: Text
    password: PasswordShape
    peers: list[PeerShape] = Field(min_length=1)
    rest: AccountShape | None = Field(None, description="Another account for REST; the shell keeps the one above.")


class NodeShape(_Shape):
    """A node of Unified CM, IM and Presence, or Unity Connection."""

    address: Host = Field(description="The connection address: the name or IP address that clients use.")
    product: Product
    connect_to: Host | None = Field(None, description="Where to connect really.")
    ports: list[Port] | None = Field(None, min_length=1, description="The ports to look at, instead of those of its product.")
    ssh_port: Port = Field(22, description="The port of its platform shell.")
    ssh: SshShape | None = Field(None, description="Left out: the user's known_hosts.")


class UnifiedCommunicationsShape(_Shape):
    """What is known of the nodes behind the cluster."""

    credentials: AccountShape | None = Field(None, description="An account for AXL.")
    platform_credentials: AccountShape | None = Field(None, description="An account for certificate management.")
    discovery: Discovery = Field("auto", description="`inventory`: `nodes` is the whole list, and nothing is asked.")
    nodes: list[NodeShape] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _check_nodes(self) -> Self:
        if self.discovery == "inventory" and self.nodes is None:
            raise _sentence("`discovery: inventory` needs `nodes`: only those are checked then.")
        return self


class PolicyShape(_Shape):
    """Defaults of options, under the same names."""

    ciphers: CipherPolicy | None = None
    allow_removal: bool | None = None
    trust_self_signed: bool | None = None
    no_refresh: bool | None = None
    restart: Restart | None = None
    calls: Calls | None = None


class NotifyShape(_Shape):
    """Who is told of the end of runs, of drift and of expiry."""

    command: list[Text] = Field(min_length=1, description="A program and its arguments; it gets JSON on stdin.")


class ClusterShape(_Shape):
    """One cluster."""

    name: Annotated[Text, AfterValidator(_check_name)]
    expressway: ExpresswayShape
    unified_communications: UnifiedCommunicationsShape | None = None
    policy: PolicyShape | None = None
    ca: list[ExistingPath] | None = Field(None, min_length=1, description="CA certificates that you vouch for.")
    notify: NotifyShape | None = None


class InventoryShape(_Shape):
    """An inventory file."""

    version: Annotated[int, AfterValidator(_check_version)] = Field(
        description="1", json_schema_extra={"const": FORMAT_VERSION}
    )
    clusters: list[ClusterShape] = Field(min_length=1)
