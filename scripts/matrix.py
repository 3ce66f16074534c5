"""Runs the tests on other releases of Debian, each with its own Python and OpenSSL, in chroots made from Debian's archive.

What cannot be run is said with the reason, and so is what no release of Debian has. It needs root and debootstrap. The chroots are
kept and used again: MATRIX_DIR names their folder. pip is used as this machine has set it up.

Usage: python -m scripts.matrix [--suite NAME]... [-- ARGUMENTS OF PYTEST]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MIRROR = os.environ.get("MATRIX_MIRROR", "http://deb.debian.org/debian")
FOLDER = Path(os.environ.get("MATRIX_DIR", "/var/cache/remediate-matrix"))
PACKAGES = "ca-certificates,git,make,openssl,python3,python3-venv"
SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13", "sid": "Debian sid"}
NOT_RUN = {
    "Python 3.12": "no release of Debian has it",
    "macOS": "nothing here runs it; a test loads every reading command without what macOS and Windows lack",
    "Windows": "nothing here runs it; see macOS",
}
_OPENSSL_3_5 = "psycopg2-binary==2.9.11"

# What is left out where the next one does not install, and the tests that need it.
EXTRAS = (("lab,dev,ansible", ()), ("lab,dev", ("--ignore=tests/playbooks",)))
# Says which Python and OpenSSL a suite has.
VERSIONS = "import platform, ssl; print('Python', platform.python_version() + ',', ' '.join(ssl.OPENSSL_VERSION.split()[:2]))"
_MOUNTS = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"'


class NotRunError(Exception):
    """A suite could not be run; the text says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one suite: its versions and the last line of its tests, and whether they passed."""

    words: str
    passed: bool


def main(arguments: list[str]) -> int:
    """Run the suites and print one line for each. Returns 1 where tests failed, and where no suite could be run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", action="append", choices=tuple(SUITES), help="only this one; repeatable")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, behind --")
    chosen = parser.parse_args(arguments)

    report: list[str] = []
    outcomes: list[Outcome] = []
    for suite in chosen.suite or SUITES:
        print(f"{SUITES[suite]} ({suite})", flush=True)
        try:
            outcome = run_suite(suite, chosen.pytest)
        except NotRunError as error:
            report.append(f"NOT RUN  {SUITES[suite]}: {error}")
            continue
        outcomes.append(outcome)
        report.append(f"{'passed ' if outcome.passed else 'FAILED '}  {SUITES[suite]}: {outcome.words}")
    report += [f"NOT RUN  {name}: {reason}" for name, reason in NOT_RUN.items()]
    print("", *report, sep="\n")
    return 0 if outcomes and all(outcome.passed for outcome in outcomes) else 1


def run_suite(suite: str, pytest_arguments: list[str]) -> Outcome:
    """Make the chroot of a suite, install the package with the newest versions of what it needs, and run the tests.

    Raises:
        NotRunError: there is no root, no debootstrap or no archive, or not even the tests' own packages install.
    """
    chroot = make_chroot(suite)
    share_settings(chroot)
    copy_sources(chroot / "src")
    versions = _run(chroot, "python3", "-c", VERSIONS).stdout.strip()
    remarks, ignored = install(chroot)
    # An OpenSSL 3.5 for the tests to compare with; see OPENSSL_3_5 in the Makefile.
    _run(
        chroot,
        "/venv/bin/python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        "/venv/openssl-3.5",
        _OPENSSL_3_5,
    )
    # Where it cannot be installed, the tests that need it say so themselves.
    _run(chroot, "scripts/install-judge.sh", "--if-possible")
    tests = ["/venv/bin/python", "-m", "pytest", "-q", "-n", "auto", "--dist", "loadgroup", *ignored, *pytest_arguments]
    process = _run(chroot, *tests)
    log = FOLDER / f"{suite}.log"
    log.write_text(process.stdout + process.stderr, encoding="utf-8")
    last_line = next((line for line in reversed(process.stdout.splitlines()) if line.strip()), "no answer")
    return Outcome(", ".join((versions, *remarks, last_line.strip("= "), f"log {log}")), passed=process.returncode == 0)


def make_chroot(suite: str) -> Path:
    """Return the chroot of a suite, made where it is not there yet. Raises NotRunError."""
    if os.geteuid() != 0:
        raise NotRunError("a chroot needs root")
    if shutil.which("debootstrap") is None:
        raise NotRunError("debootstrap is not installed (apt-get install debootstrap)")
    chroot = FOLDER / suite
    ready = FOLDER / f"{suite}.ready"
    if ready.exists():
        return chroot
    shutil.rmtree(chroot, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(chroot), MIRROR]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise NotRunError(f"debootstrap failed: {_last_line(process.stdout + process.stderr)}")
    ready.touch()
    return chroot


def share_settings(chroot: Path) -> None:
    """Copy what a program needs to reach the network as this machine does: names, certificates, settings of pip."""
    files = [Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/ssl/certs/ca-certificates.crt")]
    files += [Path(os.environ[name]) for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE") if name in os.environ]
    files += [Path("/etc/pip.conf"), *Path("/etc/xdg/pip").glob("*")]
    for file in files:
        if file.is_file():
            target = chroot / file.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def copy_sources(target: Path) -> None:
    """Copy what git knows of, and what is new and not ignored."""
    shutil.rmtree(target, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def install(chroot: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Install the package; return what is to be said of it, and what pytest is to leave out. Raises NotRunError."""
    _run(chroot, "python3", "-m", "venv", "--clear", "/venv")
    for extras, ignored in EXTRAS:
        process = _run(chroot, "/venv/bin/python", "-m", "pip", "install", "--quiet", "-e", f".[{extras}]")
        if process.returncode == 0:
            return ((f"only the extras {extras}",) if ignored else ()), ignored
        problem = next((line for line in process.stderr.splitlines() if line.startswith("ERROR")), _last_line(process.stderr))
        print(f"  The extras {extras} cannot be installed: {problem}", flush=True)
    raise NotRunError(f"the tests' packages cannot be installed: {problem}")


def _run(chroot: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in /src of a chroot, with mounts that end with it, and this machine's settings of pip and proxies."""
    inherited_environment = {
        name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    environment = inherited_environment | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    inside = ["unshare", "--mount", "sh", "-ec", _MOUNTS, str(chroot), "sh", "-c", 'cd /src && exec "$@"', "sh", *command]
    return subprocess.run(inside, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
