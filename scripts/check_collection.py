"""Check the Ansible collection with the tools of Ansible: `ansible-galaxy collection build`, and `ansible-test sanity`.

`ansible-test` wants a path that ends in `ansible_collections/NAMESPACE/NAME` and is not ignored by Git, and makes environments of its
own from PyPI. So it works on a copy, with a home directory of its own in `.venv/sanity`: the settings of pip are taken along, and the
pip that it would download from another site comes from PyPI too.

CI leaves out what other checks of this repository cover already (`LEFT_OUT_IN_CI`); `--all` runs every test. Nothing else is left out:
the collection has no PowerShell for `pslint` to look at, and modules run with the one Python that `--python` names.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[1]
COLLECTIONS = ROOT / "playbooks" / "collections"
NAME = Path("ansible_collections/expressway/remediate")
PROGRAMS = Path(sys.executable).parent
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

LEFT_OUT_IN_CI: Mapping[str, str] = {
    "pep8": "`make check` formats and lints with ruff",
    "pylint": "`make check` lints with ruff, and pylint takes half a minute",
    "yamllint": "`make check` runs ansible-lint, which brings yamllint",
}
"""Sanity tests that CI does not run, each with its reason."""

GET_PIP = '''"""Stands for get-pip.py: the pip of another environment installs the version that is asked for."""
import subprocess
import sys

if __name__ == "__main__":
    packages = [argument for argument in sys.argv[1:] if "==" in argument]
    command = [{python!r}, "-m", "pip", "--python", sys.executable, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.check_call([*command, *packages])
'''


def main() -> int:
    """Run the checks; 0 where all of them pass."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="every sanity test, also those that CI leaves out")
    left_out = {} if parser.parse_args().all else LEFT_OUT_IN_CI
    for name, reason in left_out.items():
        print(f"left out: {name} ({reason})")
    home = make_home(ROOT / ".venv" / "sanity")
    with tempfile.TemporaryDirectory(prefix="remediate-sanity-") as room:
        collection = copy_collection(Path(room))
        run(home, collection, "ansible-galaxy", "collection", "build", "--output-path", room)
        skipped = [word for name in left_out for word in ("--skip-test", name)]
        output = run(home, collection, "ansible-test", "sanity", "--venv", "--python", PYTHON, "--color", "no", *skipped)
    tests = re.findall(r'^Running sanity test "(.+)"', output, re.MULTILINE)
    print(f"{len(tests)} sanity tests pass: {', '.join(tests)}")
    return 0 if {"validate-modules", "import"} <= set(tests) else 1


def run(home: Path, collection: Path, program: str, *arguments: str) -> str:
    """Return what a program of Ansible prints about the collection. Ends this one with 1 where it fails."""
    environment = {**os.environ, "HOME": str(home), "PATH": f"{PROGRAMS}:{os.environ.get('PATH', os.defpath)}"}
    command = [str(PROGRAMS / program), *arguments]
    ended = subprocess.run(
        command, cwd=collection, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if ended.returncode:
        print(ended.stdout)
        sys.exit(1)
    return ended.stdout


def copy_collection(room: Path) -> Path:
    """Return a copy of the collection under a path that ansible-test takes."""
    copy = room / NAME
    shutil.copytree(COLLECTIONS / NAME, copy, ignore=shutil.ignore_patterns("__pycache__", "output", ".ansible", "*.tar.gz"))
    return copy


def make_home(home: Path) -> Path:
    """Return a home directory with the settings of pip, which ansible-test does not pass on, and with the pip that it wants."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    # `global.cert='…'` of a file, and `:env:.cert='…'`, which wins
    settings = dict(line.partition(".")[2].split("=", 1) for line in reversed(listed.splitlines()) if "=" in line)
    lines = [f"{key} = {value.strip(chr(39))}" for key, value in settings.items()]
    folder = home / ".config" / "pip"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pip.conf").write_text("\n".join(["[global]", *lines, ""]))
    requirements = importlib.import_module("ansible_test._internal.python_requirements")
    version = requirements.get_venv_packages(SimpleNamespace(version=PYTHON))["pip"]
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP.format(python=sys.executable))
    return home


if __name__ == "__main__":
    sys.exit(main())
