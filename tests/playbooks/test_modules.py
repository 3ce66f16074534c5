"""The modules in a playbook of an operator: what each returns for the next task, and what a check leaves alone."""

from __future__ import annotations

import pytest

from tests.playbooks.conftest import Fleet

pytestmark = pytest.mark.lab

PLAN_TWICE = """
- hosts: all
  connection: local
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  module_defaults:
    group/expressway.remediate.remediate:
      inventory: "{{ remediate_inventory }}"
      cluster: "{{ inventory_hostname }}"
      program: "{{ remediate_program }}"
      state_dir: "{{ remediate_state_dir }}"
  tasks:
    - name: Plan in a check
      expressway.remediate.plan: {dest: "{{ playbook_dir }}/plan.json", ciphers: prefer-rsa}
      check_mode: true
      register: checked
    - name: Stat
      ansible.builtin.stat: {path: "{{ playbook_dir }}/plan.json"}
      register: file
    - name: Plan
      expressway.remediate.plan: {dest: "{{ playbook_dir }}/plan.json", ciphers: prefer-rsa}
      register: made
    - name: Plan again
      expressway.remediate.plan: {dest: "{{ playbook_dir }}/plan.json", ciphers: prefer-rsa}
      register: again
    - name: Apply another plan than the approved one
      expressway.remediate.apply: {plan: "{{ playbook_dir }}/plan.json", plan_id: "sha256:00"}
      register: other
      ignore_errors: true
    - name: Restart what waits for it, in the background
      expressway.remediate.restart: {calls: drain}
      async: 120
      poll: 1
      register: restarted
    - name: Check
      ansible.builtin.assert:
        that:
          - checked is changed and not file.stat.exists
          - made is changed and again is not changed
          - made.plan_id == checked.plan_id == again.plan_id
          - made.pending and made.complete and made.exit_code == 10
          - made.approvals_required | map(attribute='subject') | select | length == made.approvals_required | length > 0
          - made.diff | map(attribute='before_header') | select('search', 'ReverseProxyTLSCiphers') | length == 1
          - restarted is not changed and restarted.exit_code == 0
          - other is failed and 'was approved. Nothing was done.' in other.msg
"""


def test_a_plan_is_changed_where_its_file_would_hold_another_one(fleet: Fleet) -> None:
    played = fleet.play_tasks(PLAN_TWICE)

    assert played.code == 0, played.printed
    assert fleet.writes == 0
