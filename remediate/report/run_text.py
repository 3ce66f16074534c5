"""One run on a terminal: how it ended, what it measured, and its work on each peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from remediate.language.messages import mark_words, translate
from remediate.model.measurement import PairMeasurement
from remediate.model.plan import Plan
from remediate.model.text import escape
from remediate.report.ending import print_steps
from remediate.report.lines import Entry, FinalText, colon, print_entries, print_heading, print_indented, print_table
from remediate.report.moments import format_duration
from remediate.report.names import UNNAMED, ShortNames, name_peers
from remediate.report.run_facts import describe_measurements, list_peer_work, list_run_cards, list_run_forecasts
from remediate.report.terminal import show_matrix
from remediate.report.text import short_fingerprint


def show_run(
    console: Console,
    record: Mapping[str, Any],
    names: Mapping[str, str],
    plan: Plan | None,
    pairs: Sequence[PairMeasurement],
) -> None:
    """Print a run; the arguments are those of `report.run_page.run_page`."""
    title = f"Run {record['id']} on {escape(record['cluster'])}: {record['state']}"
    print_indented(console, Text(title, "bold"), 0)
    if record["remark"]:
        console.print(Text(f"! {escape(record['remark'], 2000)}", "yellow"), soft_wrap=True)
    author = f"by {escape(record['who'])} on {escape(record['host'])} (process {record['pid']})"
    end = record["ended_at"] or "now, or an end that was not recorded"
    print_indented(console, Text(f"{author}, {record['started_at']} to {end}", "dim"), 0)
    labels = mark_words("plan", "ticket", "result")
    result, *steps = record["message"].splitlines() or [""]
    for label, value in zip(labels, (record["plan"], record["ticket"], result), strict=True):
        if value:
            print_indented(console, FinalText(f"{translate(label)}{colon()} {translate(escape(value, 2000))}"), 0)
    print_steps(console, [translate(step) for step in steps])
    console.print()
    peers = name_peers(record["peers"], plan.system_names if plan else UNNAMED)
    cards = list_run_cards(record, pairs, peers)
    print_entries(
        console,
        [
            Entry(Text(card.topic, "bold"), (FinalText(escape(f"{translate(card.title)}. {translate(card.detail)}", 2000)),))
            for card in cards
        ],
    )
    if pairs:
        print_indented(console, Text(describe_measurements(pairs), "bold"), 0)
        system_names = plan.system_names if plan else UNNAMED
        show_matrix(console, list_run_forecasts(pairs, plan), system_names=system_names, tense="measured")
    _print_work(console, record, peers)
    _print_approvals(console, record, names)


def _print_work(console: Console, record: Mapping[str, Any], peers: ShortNames) -> None:
    work = list_peer_work(record)
    if not work:
        return
    print_heading(console, "Work on each peer")
    rows = [
        (
            escape(peers[peer.peer]),
            f"{peer.added} added, {peer.removed} removed",
            escape(", ".join(peer.other_changes), 500) or "-",
            peer.restart or "-",
            peer.effect,
            format_duration(peer.seconds) if peer.seconds is not None else "-",
        )
        for peer in work
    ]
    titles = mark_words("peer", "certificates", "other changes", "restart", "in effect", "time")
    print_table(console, titles, rows, is_labelled=True)


def _print_approvals(console: Console, record: Mapping[str, Any], names: Mapping[str, str]) -> None:
    if not record["approvals"]:
        return
    print_heading(console, "Who confirmed what")
    for approval in record["approvals"]:
        name = names.get(approval["fingerprint"], "a certificate")
        words = (
            f"{name} ({short_fingerprint(approval['fingerprint'])}): {approval['how']}; by {approval['who']}, {approval['at']}"
        )
        print_indented(console, Text(escape(words, 2000)), 2)
