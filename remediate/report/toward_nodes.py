"""Verdicts of the nodes on the peers' own certificates, in words: many nodes with one cause are one finding."""

from __future__ import annotations

from collections.abc import Iterable

from remediate.model.expressway import CERTIFICATE_MANAGEMENT_PAGE
from remediate.model.identity import Fingerprint
from remediate.model.plan import Plan, TrustOnNode
from remediate.model.text import escape, first_few, join_words
from remediate.model.toward_nodes import STORE_RESTARTS, TowardNode
from remediate.report.view import certificate_name, distinct

TOWARD_NODES = "How the nodes judge the peers' own certificates"


def describe_toward_nodes(plan: Plan) -> tuple[str, ...]:
    """Return the nodes' answers to the peers' own certificates, a sentence for each thing to do; empty where no node is known."""
    groups: dict[tuple[object, ...], list[TowardNode]] = {}
    for toward in plan.refusing_nodes:
        key = (toward.missing,) if toward.missing else (toward.cause, toward.options)
        groups.setdefault(key, []).append(toward)
    sentences = [
        sentence
        for refusals in groups.values()
        for sentence in (_describe_missing(plan, refusals) if refusals[0].missing else _describe_refusals(refusals))
    ]
    if unseen := [toward for toward in plan.toward_nodes if not toward.observed]:
        nodes = first_few(distinct(toward.node for toward in unseen))
        reasons = first_few(distinct(toward.error or "not read" for toward in unseen), 1)
        sentences.append(
            f"Not observed: whether the peers' own certificates, which 6971 and 6972 require, are trusted by {nodes} ({reasons})."
        )
    return tuple(sentences)


def _describe_missing(plan: Plan, refusals: list[TowardNode]) -> Iterable[str]:
    """Yield which certificates are missing where, how they get there, and what restarts then with which price."""
    names = join_words([_name(plan, fingerprint) for fingerprint in refusals[0].missing])
    verb = "is" if len(refusals[0].missing) == 1 else "are"
    peers = first_few(distinct(toward.peer for toward in refusals))
    yield f"{names} {verb} missing in {_describe_stores(refusals)}: these refuse the certificate of {peers}."
    planned = any(isinstance(action, TrustOnNode) for action in plan.actions)
    by_itself = "This plan uploads that" if planned else "`remediate plan --cucm-trust` plans the upload"
    yield (
        f"{by_itself}; by hand, `remediate certificates --pem FOLDER` writes each as a file for {CERTIFICATE_MANAGEMENT_PAGE}."
    )
    for store in distinct(toward.store for toward in refusals):
        yield f"Then, for {store}-trust: {STORE_RESTARTS[store].instruction}."


def _describe_refusals(refusals: list[TowardNode]) -> Iterable[str]:
    """Yield what is wrong with certificates that no upload to a node helps, and what does."""
    peers = first_few(distinct(toward.peer for toward in refusals))
    advice = " ".join(distinct(toward.advice for toward in refusals)[:3])
    options = " ".join(refusals[0].options)
    yield f"{_describe_stores(refusals)} refuse the certificate of {peers}: {advice} {options}".rstrip()


def _describe_stores(refusals: list[TowardNode]) -> str:
    """Return the stores that refuse, each with its nodes."""
    nodes: dict[str, list[str]] = {}
    for toward in refusals:
        nodes.setdefault(toward.store, []).append(toward.node)
    return join_words([f"{store}-trust of {join_words(distinct(names), 4)}" for store, names in nodes.items()])


def _name(plan: Plan, fingerprint: Fingerprint) -> str:
    return f"{escape(certificate_name(plan.certificates.get(fingerprint)))} ({fingerprint})"
