"""The wheel, built and installed as a person would, without a network: what is in it, where it goes, and what it says of itself."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest

import remediate
from scripts.man_pages import list_commands, render_page
from scripts.sbom import list_libraries

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, timeout=120)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def prefix(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own with the wheel in it. What the wheel needs is taken from this one, behind it."""
    prefix = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(prefix)
    python = prefix / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, timeout=120)
    (site_packages,) = prefix.glob("lib/python*/site-packages")
    (site_packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return prefix


def run(prefix: Path, *arguments: str) -> str:
    """Return what the installed command prints, from a folder where no sources lie."""
    command = [str(prefix / "bin" / "remediate"), *arguments]
    return subprocess.run(command, cwd=prefix, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_installed_command_runs(prefix: Path) -> None:
    question = "import remediate; print(remediate.__file__)"
    command = [str(prefix / "bin" / "python"), "-c", question]
    place = subprocess.run(command, cwd=prefix, capture_output=True, text=True, check=True).stdout

    assert place.startswith(str(prefix))
    assert run(prefix, "--version") == f"remediate {remediate.__version__}\n"
    assert "EXAMPLES" in run(prefix, "demo", "--help")


def test_it_brings_the_playbooks(prefix: Path) -> None:
    installed = prefix / "share" / "remediate"

    assert read_tree(installed / "playbooks") == read_tree(ROOT / "playbooks")
    assert read_tree(installed / "monitoring") == read_tree(ROOT / "monitoring")
    assert (
        installed / "playbooks" / "collections" / "ansible_collections" / "expressway" / "remediate" / "galaxy.yml"
    ).is_file()


def read_tree(folder: Path) -> dict[Path, str]:
    """Return the text of each file below `folder`, compiled ones apart."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder): path.read_text() for path in files}


def test_it_brings_a_man_page_for_every_command(prefix: Path) -> None:
    from remediate.cli.app import command

    pages = {path.name for path in (prefix / "share" / "man" / "man1").iterdir()}

    assert pages == {f"{'-'.join(words)}.1" for words, _ in list_commands(command, ("remediate",))}
    page = (prefix / "share" / "man" / "man1" / "remediate-plan.1").read_text()
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT CODES", "OPTIONS", "SEE ALSO"):
        assert f"\n.SH {section}\n" in page
    assert "REMEDIATE_INVENTORY" in page


def test_a_man_page_prints_text_as_it_is() -> None:
    import click

    page = render_page(
        ("remediate", "try"), click.Command("try", help="Try it.\n\n\b\nEXAMPLES\n  .hidden \\n --x\n  'quoted'")
    )

    assert "\n.SH EXAMPLES\n.PP\n.nf\n  .hidden \\en \\-\\-x\n  'quoted'\n.fi\n" in page


@pytest.mark.parametrize(
    "place",
    ["bash-completion/completions/remediate", "zsh/site-functions/_remediate", "fish/vendor_completions.d/remediate.fish"],
)
def test_it_brings_completion_for_every_shell(place: str, prefix: Path) -> None:
    assert "_REMEDIATE_COMPLETE" in (prefix / "share" / place).read_text()


def test_its_metadata_is_true(wheel: Path) -> None:
    metadata = read_metadata(wheel)

    assert (metadata["Name"], metadata["Version"]) == ("expressway-remediate", remediate.__version__)
    assert (metadata["License-Expression"], metadata["Author"]) == ("Apache-2.0", "remediate contributors")
    assert metadata.get_all("Project-URL", []) == []
    with ZipFile(wheel) as archive:
        (license_file,) = (name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert b"Apache License" in archive.read(license_file)


def read_metadata(wheel: Path) -> Message:
    """The METADATA file of a wheel."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def test_the_sbom_names_the_openssl_inside_cryptography() -> None:
    libraries = list_libraries(distribution("cryptography"), sys.executable)

    answer = "from cryptography.hazmat.backends.openssl.backend import backend; print(backend.openssl_version_text())"
    linked = subprocess.run([sys.executable, "-c", answer], capture_output=True, text=True, check=True).stdout
    assert [library["version"] for library in libraries if library.get("purl", "").startswith("pkg:generic/openssl@")] == [
        linked.split()[1]
    ]
    assert len({library["bom-ref"] for library in libraries}) == len(libraries)


def test_the_sbom_names_the_yaml_library_inside_pyyaml() -> None:
    libraries = list_libraries(distribution("PyYAML"), sys.executable)

    assert [library["name"] for library in libraries] == ["libyaml"]
    assert libraries[0]["version"].count(".") == 2


def test_what_the_matrix_cannot_run_is_reported_with_its_reason() -> None:
    command = [sys.executable, "-m", "scripts.matrix", "--suite", "sid"]
    process = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)

    assert process.returncode == 1
    assert re.search(r"NOT RUN  Debian sid: (a chroot needs root|debootstrap is not installed)", process.stdout)
    for name in ("Python 3.12", "macOS", "Windows"):
        assert f"NOT RUN  {name}: " in process.stdout
