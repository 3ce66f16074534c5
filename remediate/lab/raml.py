"""Page ``/api/raml``: a peer's description of its REST interface in RAML 0.8."""

from __future__ import annotations

import json
from collections.abc import Mapping

import yaml

from remediate.lab.scenario import PageStyle, Removal, Scenario

_PAGE = """#%RAML 0.8
title: Expressway API
version: v1
baseUri: https://{{host}}/api/{{version}}
mediaType: application/json
securitySchemes:
  - basic:
      type: Basic Authentication
securedBy: [basic]
/provisioning:
  /certs:
    /root:
      get:
        description: The trusted CA certificates of this peer.
        responses:
          200:
            body:
              text/plain:
      post:
        description: Append certificates to the trusted CA list of this peer.
        body:
          multipart/form-data:
            formParameters:
              file:
                description: PEM file with one or more certificates.
                type: file
                required: true{removal}
    /server:
      get:
        description: The certificate of this peer.
  /controller:
    /server:
      /cucm:
        get:
          description: The Unified CM publishers.
        post:
          description: Look a publisher up over AXL, and discover its nodes.
          body:
            application/json:
              example: |
                {{"Publisher": "cucm.example.test", "AxlUsername": "axl", "AxlPassword": "", "TlsVerify": "On"}}
        delete:
          description: Remove a publisher.
      /imp:
        get:
          description: The IM and Presence publishers.
        post:
          description: Look a publisher up over AXL, and discover its nodes.
        delete:
          description: Remove a publisher.
  /common:
    /cluster:
      /peers:
        get:
          description: The peers of the cluster.{logging}
  /sysinfo:
    get:
      description: System information.
  /restart:
    post:
      description: Restart this peer.
"""

_LOGGING = """
    /diagnosticlogging:
      get:
        description: The state of the collected log of this peer.
      put:
        description: Start or stop diagnostic logging on all peers, or collect or download the log of this peer.
        body:
          application/json:
            example: |
              {"Mode": "start", "TCPDump": "on"}"""

_BROKEN = """  /edge:
    /zone:
      get:
        description: "a quotation mark that is never closed
        responses: [200
"""

_MERGED = """/provisioning:
  <<: *certificates
  /help: !include help.raml
  /controller:
"""

_COMMON = "  /common:\n"


_EXAMPLES: Mapping[Removal, tuple[str, str]] = {
    Removal.FINGERPRINT: ("application/json", '{"Fingerprint": "SHA-256 of the DER, hexadecimal"}'),
    Removal.SHA256_COLONS: ("application/json", json.dumps({"Sha256Fingerprint": ":".join(["AB", "0C"] * 16)})),
    Removal.SHA1: ("application/json", json.dumps({"FingerPrint": "0123456789abcdef0123456789abcdef01234567"})),
    Removal.PEM_FIELD: ("application/json", '{"Certificate": "-----BEGIN CERTIFICATE-----..."}'),
    Removal.PEM_BODY: ("application/x-pem-file", "-----BEGIN CERTIFICATE-----"),
    Removal.SUBJECT_AND_SERIAL: ("application/json", '{"Subject": "O=Example, CN=Root", "SerialNumber": "0A1B"}'),
    Removal.UNKNOWN: ("application/json", '{"Index": 3}'),
}
"""Media type of the body, and the example that the page gives."""


def raml(
    scenario: Scenario, style: PageStyle | None = None, removal: Removal | None = None, *, offers_logging: bool = True
) -> str:
    """Return the page of a peer in this scenario; None is what the scenario has."""
    page = _PAGE.format(removal=_removal(removal or scenario.removal), logging=_LOGGING if offers_logging else "")
    match style or scenario.page_style:
        case PageStyle.FLOW:
            return "#%RAML 0.8\n" + yaml.safe_dump(yaml.safe_load(page), default_flow_style=True, width=100)
        case PageStyle.ANCHORS:
            anchored = page.replace("/provisioning:\n", "certificates: &certificates\n", 1)
            return anchored.replace("  /controller:\n", _MERGED, 1)
        case PageStyle.BROKEN:
            return page.replace(_COMMON, _BROKEN + _COMMON, 1)
        case _:
            return page


def _removal(form: Removal) -> str:
    if form is Removal.NONE:
        return ""
    media_type, example = _EXAMPLES[form]
    lines = [
        "delete:",
        "  description: Take one certificate out of the trusted CA list of this peer.",
        "  body:",
        f"    {media_type}:",
        "      example: |",
        f"        {example}",
    ]
    return "".join(f"\n      {line}" for line in lines)
