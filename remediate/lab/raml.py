"""``/api/raml``: what a peer's REST interface offers, in RAML 0.8, as the box documents itself."""

from __future__ import annotations

from remediate.lab.scenario import Scenario

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
          description: The peers of the cluster.
  /sysinfo:
    get:
      description: System information.
  /restart:
    post:
      description: Restart this peer.
"""

_REMOVAL = """
      delete:
        description: Take one certificate out of the trusted CA list of this peer.
        body:
          application/json:
            example: |
              {{"Fingerprint": "SHA-256 of the DER, hexadecimal"}}"""


def raml(scenario: Scenario) -> str:
    """Return the page of a peer in this scenario."""
    return _PAGE.format(removal=_REMOVAL.format() if scenario.offers_removal else "")
