"""Inventory documents for the tests, and the function that writes one."""

from __future__ import annotations

from pathlib import Path

FINGERPRINT = "sha256:" + "ab" * 32
HOST_KEY = "SHA256:" + "A" * 43
ADDRESS = "- address: expc1.example.test"
SMALL = """\
version: 1
clusters:
  - name: edge-paris
    expressway:
      username: admin
      password: {env: EXPC_PASSWORD}
      peers:
        - address: expc1.example.test
"""
WHOLE = f"""\
version: 1
clusters:
  - name: edge-paris
    expressway:
      username: admin
      password: {{env: EXPC_PASSWORD}}
      rest: {{username: api, password: {{env: API_PASSWORD}}}}
      peers:
        - address: expc1.example.test
          rest_port: 7443
          ssh_port: 5022
          tls: {{fingerprint: "{FINGERPRINT}"}}
          ssh: {{host_key: "{HOST_KEY}"}}
        - address: 2001:db8::2
          tls: {{ca: pki/web.pem}}
          ssh: {{known_hosts: hosts}}
    unified_communications:
      credentials: {{username: axl, password: {{env: AXL_PASSWORD}}}}
      discovery: inventory
      platform_credentials: {{username: os, password: {{file: os.secret}}}}
      nodes:
        - address: cucm.steven.lab
          product: cucm
          connect_to: 127.0.0.21
          ports: [8443, 6972]
        - {{address: 10.48.36.215, product: unity}}
    policy: {{ciphers: keep, allow_removal: true, trust_self_signed: false, restart: rolling, calls: end}}
    ca: [pki]
    notify: {{command: [/usr/local/bin/page, edge]}}
"""


def inventory(folder: Path, text: str, name: str = "inventory.yml") -> Path:
    (folder / "pki").mkdir(exist_ok=True)
    (folder / "pki" / "web.pem").touch()
    (folder / "hosts").touch()
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file
