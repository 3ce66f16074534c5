# Copyright (c) remediate contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Inventory plugin `clusters`: the clusters of an inventory of remediate as hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: clusters
short_description: The clusters of an inventory of remediate as hosts
version_added: 0.1.0
description:
  - Each cluster of an inventory of C(remediate) becomes a host, so that no cluster is written twice.
  - Each host has C(remediate_inventory), C(remediate_cluster) and C(remediate_peers) (the addresses of its peers) as variables,
    and runs on the controller (C(ansible_connection=local)), by the Python of Ansible.
  - No account, no source of a password and no pin becomes a variable.
  - The source is a file that ends with C(remediate.yml) or C(remediate.yaml). Where the plugin is enabled in the configuration of
    Ansible, an inventory of C(remediate) itself is a source as well.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [expressway.remediate.clusters]
  inventory:
    description:
      - The inventory of remediate, a file or a folder of them. A relative path counts from the folder of the source.
    type: str
    required: true
  clusters:
    description: Patterns of the clusters to take, such as C(edge-*).
    type: list
    elements: str
    default: ['*']
  name_groups:
    description: Groups by name, each with one or several patterns of its clusters.
    type: dict
    default: {}
extends_documentation_fragment:
  - constructed
author:
  - remediate contributors (!UNKNOWN)
"""

EXAMPLES = r"""
# clusters.remediate.yml
plugin: expressway.remediate.clusters
inventory: /etc/remediate/inventory.yml
name_groups:
  europe: [edge-paris*, edge-london*]
  pilot: edge-lab
keyed_groups:
  # By the number of peers: peers_1, peers_3
  - prefix: peers
    key: remediate_peers | length | string
"""

import fnmatch
import sys
from pathlib import Path

import yaml
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable

SUFFIXES = (".yml", ".yaml")
CONFIGURATIONS = tuple(f"remediate{suffix}" for suffix in SUFFIXES)


class InventoryModule(BaseInventoryPlugin, Constructable):
    """The clusters of an inventory of remediate."""

    NAME = "expressway.remediate.clusters"

    def verify_file(self, path):
        """Return whether `path` is a source for this plugin: its configuration by name, or an inventory of remediate."""
        if not super().verify_file(path) or not path.endswith(SUFFIXES):
            return False
        return path.endswith(CONFIGURATIONS) or _is_inventory(path)

    def parse(self, inventory, loader, path, cache=True):  # noqa: FBT002 - the signature of Ansible
        """Add the clusters to `inventory`."""
        super().parse(inventory, loader, path, cache)
        if "plugin" in _read_mapping(path):
            self._read_config_data(path)
            source = Path(path).absolute().parent / Path(self.get_option("inventory")).expanduser()
        else:
            self.set_options(direct={"plugin": self.NAME, "inventory": path})
            source = Path(path).absolute()
        patterns = self.get_option("clusters")
        for name, peers in _read_clusters(source):
            if _matches(name, patterns):
                self._add_cluster(name, peers, source)

    def _add_cluster(self, name, peers, source):
        self.inventory.add_host(name)
        variables = {
            "remediate_inventory": str(source),
            "remediate_cluster": name,
            "remediate_peers": peers,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        for key, value in variables.items():
            self.inventory.set_variable(name, key, value)
        for group, patterns in self.get_option("name_groups").items():
            if _matches(name, [patterns] if isinstance(patterns, str) else patterns):
                self.inventory.add_host(name, group=self.inventory.add_group(self._sanitize_group_name(group)))
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)


def _matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _read_clusters(source):
    """Return the name and the addresses of the peers of each cluster, in the order of the files and in them."""
    clusters = {}
    for path in _list_files(source):
        for entry in _read_mapping(path).get("clusters") or []:
            try:
                name = entry["name"]
                peers = [peer["address"] for peer in entry["expressway"]["peers"]]
            except (KeyError, TypeError) as error:
                raise AnsibleParserError(
                    f"{path}: a cluster without its name or peers. `remediate doctor -i {path}` says where."
                ) from error
            if name in clusters:
                raise AnsibleParserError(f"{path}: the cluster {name} is in another place of {source} too.")
            clusters[name] = peers
    if not clusters:
        raise AnsibleParserError(f"{source}: no cluster of an inventory of remediate is in it.")
    return clusters.items()


def _list_files(source):
    if not source.is_dir():
        return [source]
    return sorted(path for path in source.iterdir() if path.suffix in SUFFIXES and not path.name.startswith("."))


def _is_inventory(path):
    try:
        document = _read_mapping(path)
    except AnsibleParserError:
        return False
    return document.get("version") == 1 and "clusters" in document


def _read_mapping(path):
    """Return the keys of a YAML file; empty where it has none. What is in it is not quoted: it may be a secret in the wrong place."""
    try:
        document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise AnsibleParserError(f"{path}: cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError):
        raise AnsibleParserError(f"{path}: is not YAML. `remediate doctor -i {path}` says where.") from None
    return document if isinstance(document, dict) else {}
