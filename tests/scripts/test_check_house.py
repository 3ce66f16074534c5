"""Each rule of the house has a bad example that fails and a good one, beside it, that passes."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from remediate.executor.ports import PeerPort
from scripts.check_house import WRITE_METHODS, check

Files = dict[str, str]
WITH_A_BRANCH = "def f(a):\n    if a:\n        return 1\n    return 2\n"

BAD: list[tuple[str, str, Files]] = [
    ("pronoun-name", "tests/a.py:1: pronoun-name: one", {"tests/a.py": "for one in ():\n    pass\n"}),
    ("pronoun-name", "scripts/a.py:1: pronoun-name: _found", {"scripts/a.py": "def _found():\n    pass\n"}),
    ("pronoun-name", "remediate/a.py:1: pronoun-name: said", {"remediate/a.py": "def f(said):\n    pass\n"}),
    ("pronoun-name", "tests/a.py:1: pronoun-name: what", {"tests/a.py": "import os as what\n"}),
    ("participle-name", "benchmarks/a.py:1: participle-name: kept", {"benchmarks/a.py": "kept = 1\n"}),
    ("participle-name", "remediate/a.py:1: participle-name: other", {"remediate/a.py": "def f(a, other):\n    pass\n"}),
    ("exit-code-literal", "remediate/a.py:1: exit-code-literal: 8", {"remediate/a.py": "f(exit_code=8)\n"}),
    ("exit-code-literal", "remediate/a.py:1: exit-code-literal: 4", {"remediate/a.py": "most_serious([a, 4])\n"}),
    ("exit-code-literal", "remediate/a.py:1: exit-code-literal: 10", {"remediate/a.py": "if r.exit_code == 10:\n    pass\n"}),
    ("exit-code-literal", "remediate/a.py:1: exit-code-literal: 3", {"remediate/a.py": "exit_code: int = 3\n"}),
    (
        "lazy-write",
        "remediate/executor/a.py:1: lazy-write: f is a generator that writes to a peer",
        {"remediate/executor/a.py": "def f(peer):\n    yield peer.restart()\n"},
    ),
    (
        "lazy-write",
        "remediate/executor/a.py:3: lazy-write: a lambda writes to a peer: change",
        {"remediate/executor/a.py": "def change(peer):\n    peer.set_cipher('', '')\nf = lambda: change(1)\n"},
    ),
    (
        "lazy-write",
        "remediate/executor/b.py:1: lazy-write: map writes to a peer: change",
        {
            "remediate/executor/a.py": "def change(peer):\n    peer.set_cipher('', '')\n",
            "remediate/executor/b.py": "map(change, peers)\n",
        },
    ),
    (
        "lazy-write",
        "remediate/executor/a.py:1: lazy-write: a generator expression writes to a peer: restart",
        {"remediate/executor/a.py": "any(peer.restart() for peer in peers)\n"},
    ),
    (
        "written-twice",
        "remediate/b.py:1: written-twice: 'Maintenance > Restart options' is also in remediate/a.py",
        {
            "remediate/a.py": "PAGE = 'Maintenance > Restart options'\n",
            "remediate/b.py": "text = 'Open Maintenance > Restart options.'\n",
        },
    ),
    (
        "written-twice",
        "remediate/b.py:1: written-twice: 'ECDHE-RSA-AES256-GCM-SHA384' is also in remediate/a.py",
        {
            "remediate/a.py": "PREFIX = 'ECDHE-RSA-AES256-GCM-SHA384:'\n",
            "remediate/b.py": "PREFIX = 'ECDHE-RSA-AES256-GCM-SHA384:'\n",
        },
    ),
    ("formatter-twice", "remediate/a.py:1: formatter-twice: f'{host}:{port}'", {"remediate/a.py": "f'{host}:{port}'\n"}),
    (
        "formatter-twice",
        "remediate/a.py:1: formatter-twice: f'[{host}]:{at.port}'",
        {"remediate/a.py": "f'[{host}]:{at.port}'\n"},
    ),
    (
        "test-title",
        f"tests/a.py:1: test-title: test_{'a' * 60} has 60 characters, at most 59",
        {"tests/a.py": f"def test_{'a' * 60}():\n    pass\n"},
    ),
    ("test-import", "tests/a.py:1: test-import: tests.test_b", {"tests/a.py": "from tests.test_b import helper\n"}),
    (
        "test-place",
        "remediate/a/b.py:1: test-place: tests/a/test_b.py is missing",
        {
            "remediate/a/b.py": WITH_A_BRANCH,
            "remediate/c.py": "import remediate.a.b\n",
            "remediate/d.py": "import remediate.a.b\n",
        }
        | {"tests/test_c.py": "", "tests/test_d.py": ""},
    ),
    (
        "test-place",
        "tests/a/test_c.py:1: test-place: its name begins with no module or folder of remediate/a",
        {"remediate/a/b.py": "", "tests/a/test_c.py": "", "tests/a/test_b_again.py": ""},
    ),
    (
        "import-circle",
        "remediate/a.py:1: import-circle: remediate/a.py, remediate/b/c.py",
        {"remediate/a.py": "from remediate.b import c\n", "remediate/b/c.py": "def f():\n    from remediate.a import g\n"},
    ),
    (
        "unused",
        "remediate/a.py:1: unused: f",
        {"remediate/a.py": "def f():\n    return f()\n", "remediate/b.py": "def _g():\n    h.f()\n_g()\n", "scripts/c.py": ""},
    ),
    (
        "unused",
        "remediate/a.py:4: unused: width",
        {
            "remediate/a.py": "@dataclass\nclass Box:\n    height: int\n    width: int\nBox(1, width=2).height\n",
            "scripts/c.py": "",
        },
    ),
    ("too-long", "remediate/a.py:451: too-long: 451 lines, at most 450", {"remediate/a.py": "\n" * 451}),
    (
        "too-long",
        "remediate/a.py:1: too-long: f has 51 lines, at most 50",
        {"remediate/a.py": "def f():\n" + "    pass\n" * 51},
    ),
]
GOOD: list[tuple[str, Files]] = [
    ("pronoun-name", {"tests/a.py": "for certificate in someone.found.one:\n    thing_id = 1\n"}),
    ("participle-name", {"remediate/model/secret.py": "def __eq__(self, other):\n    pass\n"}),
    ("exit-code-literal", {"tests/a.py": "assert f(exit_code=8)\n", "remediate/a.py": "f(exit_code=ExitCode.DONE, count=8)\n"}),
    ("lazy-write", {"remediate/executor/a.py": "def f(peers):\n    for peer in peers:\n        peer.restart()\n"}),
    (
        "lazy-write",
        {"remediate/executor/a.py": "@contextmanager\ndef f(peer):\n    peer.restart()\n    yield\nmap(str, peers)\n"},
    ),
    (
        "written-twice",
        {
            "remediate/a.py": "PAGE = 'Maintenance > Restart options'\n",
            "remediate/b.py": '"""The page is Maintenance > Restart options."""\n',
            "remediate/lab/c.py": "PAGE = 'Maintenance > Restart options'\n",
        },
    ),
    (
        "formatter-twice",
        {"remediate/model/identity.py": "f'{host}:{port}'\n", "remediate/a.py": "f'{name}: {port} {host}:{text}'\n"},
    ),
    ("test-title", {"tests/a.py": f"def test_{'a' * 59}():\n    pass\n"}),
    ("test-import", {"tests/a.py": "from tests.helpers import helper\n"}),
    ("test-place", {"remediate/a/b.py": WITH_A_BRANCH, "tests/a/test_b_on_the_lab.py": ""}),
    (
        "test-place",
        {"remediate/a.py": "LIMIT = 3\ndef double(number):\n    return 2 * number\n", "tests/hostile/test_names.py": ""},
    ),
    (  # a part of its folder, which a single module of it uses, and another one
        "test-place",
        {
            "remediate/a/b.py": WITH_A_BRANCH,
            "remediate/a/c.py": "import remediate.a.b\n",
            "remediate/a/d.py": "from remediate.a import b\n",
            "tests/a/test_d.py": "",
        },
    ),
    (  # a folder with tests as a whole, and a story of several modules
        "test-place",
        {
            "remediate/a/b/c.py": WITH_A_BRANCH,
            "remediate/a/b/__init__.py": "from remediate.a.b.c import f\n",
            "tests/a/test_b.py": "",
            "tests/a/stories/test_together.py": "",
        },
    ),
    ("import-circle", {"remediate/a.py": "from remediate.b import c\n", "remediate/b.py": "from pathlib import Path\n"}),
    (
        "unused",
        {
            "remediate/a.py": "def f():\n    pass\ndef g():\n    pass\ndef h():\n    pass\n",
            "remediate/b.py": "from remediate.a import f\nfrom remediate import a\na.g()\nTABLE = {'x': 'remediate.a.h'}\nTABLE[f]\n",
            "remediate/c.py": "class Reader(RawIOBase):\n    def readable(self):\n        pass\nReader()\n",
            "remediate/lab/d.py": "def i():\n    pass\n",
            "scripts/e.py": "",
        },
    ),
    (
        "too-long",
        {
            "remediate/a.py": 'def f():\n    """Say\n\n    more."""\n' + "    pass\n" * 50,
            "tests/a.py": "\n" * 500,
            "tests/test_a.py": "",
        },
    ),
]


def violations(root: Path, files: Files) -> list[str]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return [str(violation) for violation in check(root)]


@pytest.mark.parametrize(("rule", "violation", "files"), BAD, ids=[violation for _, violation, _ in BAD])
def test_a_bad_example_breaks_its_rule_alone(tmp_path: Path, rule: str, violation: str, files: Files) -> None:
    assert violations(tmp_path, files) == [violation]
    assert f": {rule}: " in violation


@pytest.mark.parametrize(("rule", "files"), GOOD, ids=[rule for rule, _ in GOOD])
def test_a_good_example_breaks_no_rule(tmp_path: Path, rule: str, files: Files) -> None:
    assert violations(tmp_path, files) == [], rule


def test_every_rule_has_a_bad_example_and_a_good_one() -> None:
    import scripts.check_house

    rules = {line.split(":")[0].strip() for line in (scripts.check_house.__doc__ or "").splitlines() if line.startswith("    ")}
    assert {rule for rule, _, _ in BAD} == {rule for rule, _ in GOOD} == rules


def test_what_returns_nothing_of_a_peer_is_a_write() -> None:
    methods = {name: method for name, method in vars(PeerPort).items() if callable(method) and not name.startswith("_")}
    silent = {name for name, method in methods.items() if inspect.signature(method).return_annotation == "None"}
    assert silent - {"reconnect"} == WRITE_METHODS
