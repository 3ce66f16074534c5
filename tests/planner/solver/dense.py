"""Dense clusters: CAs that are too closely connected to be tried one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

from remediate.model.identity import Fingerprint
from remediate.model.snapshot import Preference, Snapshot
from tests.pki import Entity, issue
from tests.planner.build import endpoint, peer, snapshot


def hitting_set(authorities: int, endpoints: int, size: int, seed: int = 1) -> tuple[Snapshot, list[frozenset[Fingerprint]]]:
    """Build endpoints that each need one CA of a set: every cross-certificate that they send leads on to the next of it.

    Returns:
        The cluster, and for each endpoint the fingerprints of the self-signed CAs of which one is enough.
    """
    chance = Random(seed)  # noqa: S311 - drawn, not secret
    roots = [issue(f"CA {number}", ca=True, key_name=f"CA {number}") for number in range(authorities)]
    crosses: dict[tuple[int, int], Entity] = {}
    nodes, sets, leaves = [], [], []
    for number in range(endpoints):
        path = chance.sample(range(authorities), size)
        for below, above in pairwise(path):
            if (below, above) not in crosses:
                crosses[below, above] = issue(f"CA {below}", roots[above], ca=True, key_name=f"CA {below}")
        leaf = issue(f"h{number}.lab", roots[path[0]], names=(f"h{number}.lab",), key_name="leaf")
        nodes.append(endpoint(f"h{number}.lab", ecdsa=[leaf, *(crosses[pair] for pair in pairwise(path))]))
        sets.append(frozenset(roots[member].certificate.fingerprint for member in path))
        leaves.append(leaf)
    pool = [*roots, *crosses.values()]
    return snapshot([peer(1, [])], nodes, [*pool, *leaves], available=pool, vouched=pool), sets


def cross_certificates(count: int, leaves: int) -> Snapshot:
    """Build leaves of one issuing CA that has a cross-certificate of each of so many roots."""
    roots = [issue(f"Root {number}", ca=True) for number in range(count)]
    crosses = [issue("Issuing", root, ca=True, key_name="issuing") for root in roots]
    own = [issue(f"n{number}.lab", crosses[0], names=(f"n{number}.lab",), key_name="leaf") for number in range(leaves)]
    nodes = [endpoint(f"n{number}.lab", ecdsa=[leaf]) for number, leaf in enumerate(own)]
    pool = [*roots, *crosses]
    return snapshot([peer(1, [])], nodes, [*pool, *own], available=pool, vouched=pool)


def shared_names(groups: int, endpoints: int, variants: int, seed: int = 1) -> tuple[Snapshot, list[list[tuple[int, int]]]]:
    """Build CAs of few common names, several of each, and endpoints that need two of them at once.

    Returns:
        The cluster, and for each endpoint the name and the variant of both CAs.
    """
    chance = Random(seed)  # noqa: S311 - drawn, not secret
    members = {
        (group, variant): issue(f"Name {group}", ca=True, key_name=f"{group}.{variant}")
        for group in range(groups)
        for variant in range(variants)
    }
    nodes, needs, leaves = [], [], []
    for number in range(endpoints):
        first, second = chance.sample(range(groups), 2)
        pair = [(first, chance.randrange(variants)), (second, chance.randrange(variants))]
        own = [issue(f"c{number}.lab", members[need], names=(f"c{number}.lab",), key_name="leaf") for need in pair]
        node = endpoint(f"c{number}.lab", rsa=[own[0], members[pair[0]]], ecdsa=[own[1], members[pair[1]]])
        # Which of its certificates it presents is not known, so both have to verify.
        nodes.append(replace(node, preferred=Preference(client_order=None)))
        needs.append(pair)
        leaves += own
    pool = list(members.values())
    return snapshot([peer(1, [])], nodes, [*pool, *leaves], available=pool, vouched=pool), needs


def mesh(size: int, leaves: int) -> Snapshot:
    """Build CAs that all signed each other, one root above the last, and a leaf each of the first."""
    members = [issue(f"Mesh {number}", ca=True, key_name=f"Mesh {number}") for number in range(size)]
    crosses = [
        issue(f"Mesh {number}", signer, ca=True, key_name=f"Mesh {number}")
        for number, member in enumerate(members)
        for signer in members
        if signer is not member
    ]
    top = issue("Top", ca=True)
    under_top = issue(f"Mesh {size - 1}", top, ca=True, key_name=f"Mesh {size - 1}")
    own = [issue(f"m{number}.lab", members[number], names=(f"m{number}.lab",)) for number in range(leaves)]
    nodes = [endpoint(f"m{number}.lab", ecdsa=[leaf]) for number, leaf in enumerate(own)]
    pool = [*crosses, under_top, top]
    return snapshot([peer(1, [])], nodes, [*pool, *own], available=pool, vouched=pool)
