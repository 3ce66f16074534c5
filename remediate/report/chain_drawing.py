"""The drawing of a chain: the servers' own certificates, who signed them, where it breaks now, and what the plan adds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from remediate.language.messages import Verbatim, translate
from remediate.model.identity import Address, Fingerprint, host_and_port
from remediate.model.plan import ChainGroup, EndpointForecast, Plan, TrustCertificate
from remediate.model.text import count, escape
from remediate.model.verdict import Cause
from remediate.report.causes import describe_cause
from remediate.report.drawn_text import wrap_drawn
from remediate.report.names import ShortNames, join_peers, name_peers
from remediate.report.text import short_fingerprint
from remediate.report.view import certificate_name, list_vouchers

Kind = Literal["leaf", "added", "trusted", "sent", "missing"]
WIDTH = 340
_TITLE_PIXELS, _LINE_PIXELS = 13, 12
"""The sizes of letters in `style.css`."""
_TITLE_HEIGHT, _LINE_HEIGHT, _PADDING, _LINK = 18, 16, 10, 40
_ROOM, _LINK_ROOM = WIDTH - 26, WIDTH - 42
"""How wide a line in a box, and one beside a link, may be."""
_TONES = {"+": "good", "!": "warn", "✗": "bad"}
"""What the sign before a sentence says of it."""
_NO_ISSUER_CODES = frozenset({2, 20, 21})
"""OpenSSL: the issuer of the certificate at this depth is not there; with any other code, that certificate itself is the trouble."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text; each line of a sentence that needs several has the tone of its sign."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Box:
    """One certificate, or a missing issuer.

    Attributes:
        top: Its distance from the top of the drawing.
    """

    kind: Kind
    title: tuple[str, ...]
    lines: tuple[Line, ...]
    top: int = 0

    @property
    def height(self) -> int:
        """Its height."""
        return 2 * _PADDING + _TITLE_HEIGHT * len(self.title) + _LINE_HEIGHT * len(self.lines)


@dataclass(frozen=True, slots=True)
class Link:
    """The line from a certificate to its issuer; `breaks` where peers do not find that issuer now."""

    top: int
    breaks: bool

    @property
    def lines(self) -> tuple[Line, ...]:
        """The text beside it: two lines at most."""
        words = "✗ breaks here now: the peers lack the issuer" if self.breaks else "signed by"
        return tuple(_set_lines(words, _LINK_ROOM))


@dataclass(frozen=True, slots=True)
class ChainDrawing:
    """A chain, drawn.

    Attributes:
        summary: What the drawing shows, in a sentence.
        endpoints: Short names with ports.
        fixed: How many checks the plan fixes with it.
        adds: The plan adds one of its certificates.
    """

    boxes: tuple[Box, ...]
    links: tuple[Link, ...]
    height: int
    summary: str
    endpoints: tuple[str, ...]
    fixed: int
    failing: int
    adds: bool


def draw_chains(plan: Plan, names: ShortNames) -> tuple[ChainDrawing, ...]:
    """Return a drawing of each distinct chain of `plan`, those that the plan completes first; `names` are those of endpoints."""
    by_endpoint: dict[tuple[Address, int], list[EndpointForecast]] = {}
    for forecast in plan.endpoints:
        by_endpoint.setdefault((forecast.address, forecast.port), []).append(forecast)
    forecasts = {host_and_port(*endpoint): checks for endpoint, checks in by_endpoint.items()}
    artist = _Artist(plan, names)
    groups = artist.merge_alike(plan.chains)
    drawings = [
        artist.draw(group, [forecast for name in group.endpoints for forecast in forecasts.get(name, ())]) for group in groups
    ]
    return tuple(sorted(drawings, key=lambda drawing: (not drawing.adds, -drawing.fixed, -drawing.failing, drawing.endpoints)))


class _Artist:
    def __init__(self, plan: Plan, names: ShortNames) -> None:
        self._plan = plan
        self._peers = name_peers(plan.base, plan.system_names)
        self._names = names
        self._additions: Mapping[Fingerprint, TrustCertificate] = {
            action.certificate: action for action in plan.actions if isinstance(action, TrustCertificate)
        }

    def merge_alike(self, groups: Iterable[ChainGroup]) -> tuple[ChainGroup, ...]:
        """Return `groups` with those together in which each server has a certificate of its own that is treated alike."""
        merged: dict[object, ChainGroup] = {}
        for group in groups:
            key = self._key_of(group)
            if key in merged:
                both = sorted([merged[key], group], key=lambda each: each.ends or "9999")
                names = (*merged[key].endpoints, *group.endpoints)
                merged[key] = replace(both[0], certificates=merged[key].certificates, endpoints=names)
            else:
                merged[key] = group
        return tuple(merged.values())

    def _key_of(self, group: ChainGroup) -> object:
        if group.depth or not group.certificates:
            return (group.depth, group.certificates, group.missing)
        addition = self._additions.get(group.certificates[0])
        facts = self._plan.facts.get(group.certificates[0])
        return (0, addition and (addition.peers, addition.approval), facts and facts.vouched_by)

    def draw(self, group: ChainGroup, forecasts: Sequence[EndpointForecast]) -> ChainDrawing:
        """Return the drawing of `group`, whose checks `forecasts` are."""
        failing = [forecast for forecast in forecasts if forecast.before.observed and not forecast.before.ok]
        # With a cipher change, another certificate fails now than the one that is drawn.
        same_key = [forecast for forecast in failing if forecast.before.key == forecast.after.key]
        break_depths = {_find_break_depth(forecast) for forecast in same_key}
        boxes = list(self._draw_boxes(group, failing, same_key))
        placed, links, top = [], [], 1
        for number, box in enumerate(boxes):
            placed.append(replace(box, top=top))
            top += box.height
            if number < len(boxes) - 1:
                links.append(Link(top, number in break_depths or boxes[number + 1].kind == "missing"))
                top += _LINK
        fixed = sum(forecast.after.ok for forecast in failing)
        adds = any(box.kind == "added" for box in boxes)
        summary = f" {translate('Signed by:')} ".join(
            " ".join([*box.title, *(line.text for line in box.lines)]) for box in boxes
        )
        names = tuple(self._names[name] for name in group.endpoints)
        return ChainDrawing(tuple(placed), tuple(links), top + 1, summary, names, fixed, len(failing) - fixed, adds)

    def _draw_boxes(
        self, group: ChainGroup, failing: Sequence[EndpointForecast], same_key: Sequence[EndpointForecast]
    ) -> Iterator[Box]:
        is_self_signed = bool(group.certificates) and not group.depth
        yield self._draw_leaf(group, failing, same_key, own=group.certificates[0] if is_self_signed else None)
        for depth, fingerprint in enumerate(group.certificates[1:] if is_self_signed else group.certificates, start=1):
            yield self._draw_certificate(fingerprint, depth, same_key)
        if group.missing:
            yield _make_box("missing", Verbatim(group.missing), ["this issuer was not found"])

    def _draw_leaf(
        self,
        group: ChainGroup,
        failing: Sequence[EndpointForecast],
        same_key: Sequence[EndpointForecast],
        *,
        own: Fingerprint | None,
    ) -> Box:
        """Return the box of the server certificates; `own`: that of a self-signed one; None: they have an issuer."""
        names = list(dict.fromkeys(self._names[name].rpartition(":")[0].strip("[]") for name in group.endpoints))
        title = Verbatim(names[0]) if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
        lines = [f"server certificate of {count(len(group.endpoints), 'endpoint')}"]
        if group.ends:
            lines.append(f"until {group.ends[:10]}" if len(group.endpoints) == 1 else f"the first until {group.ends[:10]}")
        if differing_check := next((forecast for forecast in failing if forecast.before.key != forecast.after.key), None):
            cause = differing_check.before.cause
            description = translate(describe_cause(cause.value if cause else "")).lower()
            lines.append(f"now with {(differing_check.before.key or '').upper()}: {description}")
        kind: Kind = "added" if own in self._additions else "leaf"
        if own:
            lines += ["self-signed", *self._describe_trust(own)]
            lines += [short_fingerprint(own)[7:]] if len(group.endpoints) == 1 else []
        return _make_box(kind, title, [*lines, *_find_troubles(0, same_key)])

    def _draw_certificate(self, fingerprint: Fingerprint, depth: int, failing: Sequence[EndpointForecast]) -> Box:
        certificate = self._plan.certificates[fingerprint]
        facts = self._plan.facts.get(fingerprint)
        trusted = any(voucher.startswith("peer:") for voucher in facts.vouched_by) if facts else False
        kind: Kind = "added" if fingerprint in self._additions else "trusted" if trusted else "sent"
        lines = list(self._describe_trust(fingerprint))
        if kind == "sent":
            lines.append("sent by the server")
        until = f"until {certificate.not_after:%Y-%m-%d}" if certificate.not_after else "no end"
        lines.append(f"{until} · {short_fingerprint(fingerprint)[7:]}")
        return _make_box(kind, Verbatim(certificate_name(certificate)), [*lines, *_find_troubles(depth, failing)])

    def _describe_trust(self, fingerprint: Fingerprint) -> Iterator[str]:
        addition = self._additions.get(fingerprint)
        if addition:
            yield f"+ added to {join_peers(addition.peers, self._peers, len(self._plan.base))}"
        if addition and addition.approval == "required":
            yield "! NOT CONFIRMED: needs your approval"
        yield from list_vouchers(fingerprint, self._plan)


def _make_box(kind: Kind, title: str, lines: Sequence[str]) -> Box:
    return Box(kind, _wrap(title, _ROOM / _TITLE_PIXELS), tuple(row for line in lines for row in _set_lines(line, _ROOM)))


def _set_lines(text: str, room: float) -> Iterator[Line]:
    tone = _TONES.get(text[0], "dim")
    yield from (Line(tone, row) for row in _wrap(text, room / _LINE_PIXELS))


def _wrap(text: str, room: float) -> tuple[str, ...]:
    """Return untrusted `text` in lines, in the language in use: a part of a sentence is not to be taken for one."""
    words = escape(text, 200) if isinstance(text, Verbatim) else translate(escape(text, 200))
    return tuple(map(Verbatim, wrap_drawn(words, room)))


def _find_break_depth(forecast: EndpointForecast) -> int | None:
    """Return the depth of the certificate whose issuer a peer does not find now; None: that is not the trouble."""
    verdict = forecast.before
    return verdict.depth if verdict.code in _NO_ISSUER_CODES else None


def _find_troubles(depth: int, failing: Sequence[EndpointForecast]) -> Iterator[str]:
    """Yield what is wrong now with the certificate at `depth` itself, with how many checks where it is not all of them."""
    causes: Counter[Cause] = Counter()
    for forecast in failing:
        verdict = forecast.before
        at = 0 if verdict.cause is Cause.NAME_MISMATCH else verdict.depth
        if at == depth and verdict.code not in _NO_ISSUER_CODES and verdict.cause:
            causes[verdict.cause] += 1
    for cause, number in causes.most_common(2):
        share = "" if number == len(failing) else f" ({translate(count(number, 'check'))})"
        yield f"✗ {translate(describe_cause(cause.value))}{share}"
