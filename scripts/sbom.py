"""Adds to an SBOM what wheels carry inside: shared libraries beside their modules, and libraries linked into them.

`cyclonedx-py environment` lists the packages of an environment. A scanner that is to find a weak OpenSSL needs the one inside
cryptography, too. Each library says where its name and version come from; what a wheel does not tell has no version.

Usage: python -m scripts.sbom SBOM PYTHON
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

Component = dict[str, Any]

_NATIVE = re.compile(r"\.(so|pyd|dylib|dll)(\.[\d.]+)?$")
_SHARED = re.compile(r"(?P<name>\w[\w+-]*?)(-[0-9a-f]{8,})?\.(so|dylib|dll)(\.(?P<version>[\d.]+))?$")
_OPENSSL = re.compile(rb"OpenSSL (\d+\.\d+\.\d+[a-z]?) +\d{1,2} [A-Z][a-z]{2} \d{4}")
# Linked into a module of these packages, which do not say so themselves, and how to ask for the version.
_LINKED = {
    "cffi": ("libffi", None),
    "pynacl": ("libsodium", None),
    "pyyaml": ("libyaml", "import yaml._yaml; print(yaml._yaml.get_version_string())"),
}


def main(arguments: list[str]) -> None:
    """Complete the SBOM in place, and validate it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    path, python = Path(arguments[0]), arguments[1]
    bom = json.loads(path.read_text(encoding="utf-8"))
    packages = {component["name"].lower(): component for component in bom["components"]}
    for distribution in distributions(path=[_site_packages(python)]):
        package = packages.get(distribution.metadata["Name"].lower())
        libraries = list_libraries(distribution, python)
        if package is not None and libraries:
            package["components"] = package.get("components", []) + libraries
        if distribution.metadata["Name"] == bom["metadata"]["component"]["name"]:
            bom["metadata"]["component"]["version"] = distribution.version
    text = json.dumps(bom, indent=2, sort_keys=True) + "\n"
    problem = JsonStrictValidator(SchemaVersion.from_version(bom["specVersion"])).validate_str(text)
    if problem is not None:
        raise SystemExit(f"{path} would not be valid: {problem}")
    path.write_text(text, encoding="utf-8")


def list_libraries(distribution: Distribution, python: str) -> list[Component]:
    """Return what one package carries, each library once; what the package says itself comes first."""
    libraries: dict[str, Component] = {}
    for library in (*_stated(distribution), *_bundled_libraries(distribution), *_linked_libraries(distribution, python)):
        libraries.setdefault(_identity(library), library)
    package = f"{distribution.metadata['Name']}=={distribution.version}"
    return [library | {"bom-ref": f"{package}/{identity}"} for identity, library in sorted(libraries.items())]


def _identity(library: Component) -> str:
    """Return what tells libraries apart, whatever their versions: a Rust crate may have the name of the library that it calls."""
    return str(library.get("purl", library["name"])).partition("@")[0]


def _stated(distribution: Distribution) -> Iterator[Component]:
    """Yield the libraries of the SBOMs that the package brings along (PEP 770)."""
    own_name = distribution.metadata["Name"].lower().replace("_", "-")
    for file in distribution.files or ():
        if ".dist-info/sboms/" not in str(file) or file.suffix != ".json":
            continue
        for component in json.loads(file.read_text(encoding="utf-8")).get("components", []):
            if component["name"].lower().replace("_", "-") != own_name:
                entry = {key: component[key] for key in ("name", "version", "purl", "hashes", "licenses") if key in component}
                yield entry | _library(f"the package's own {file.name}")


def _bundled_libraries(distribution: Distribution) -> Iterator[Component]:
    """Yield the shared libraries that were put into the wheel, and every OpenSSL that names its version in a native file."""
    for file in distribution.files or ():
        if not _NATIVE.search(file.name):
            continue
        content = Path(str(file.locate())).read_bytes()
        openssl = _OPENSSL.search(content)
        if openssl is not None:
            version = openssl[1].decode()
            yield {"name": "openssl", "version": version, "purl": f"pkg:generic/openssl@{version}"} | _library(
                f"text in {file.name}"
            )
        shared = _SHARED.fullmatch(file.name)
        if shared is not None and any(part.endswith(".libs") or part == ".dylibs" for part in file.parts):
            stated = {"version": shared["version"]} if shared["version"] else {}
            digest = {"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}
            yield {"name": shared["name"], "hashes": [digest]} | stated | _library(f"the file {file.name}")


def _linked_libraries(distribution: Distribution, python: str) -> Iterator[Component]:
    name, question = _LINKED.get(distribution.metadata["Name"].lower(), (None, None))
    if name is None or not any(_NATIVE.search(file.name) for file in distribution.files or ()):
        return
    if question is None:
        yield {"name": name} | _library("what the package is known to link; it does not tell the version")
        return
    version = subprocess.run([python, "-c", question], capture_output=True, text=True, check=True).stdout.strip()
    yield {"name": name, "version": version} | _library("what the package answered")


def _library(source: str) -> Component:
    return {"type": "library", "properties": [{"name": "remediate:source", "value": source}]}


def _site_packages(python: str) -> str:
    question = "import sysconfig; print(sysconfig.get_path('platlib'))"
    return subprocess.run([python, "-c", question], capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
