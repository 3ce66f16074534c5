"""Embedded lab: three Expressway-C peers and five UC nodes on loopback, speaking real HTTPS, SSH and TLS.

``with Lab(directory, scenario="story", judge=False) as lab:`` starts it in threads of this process; `lab.inventory` is then an
inventory to point every command at. `remediate.lab.process` runs it in a process of its own.

It needs Linux (127.0.0.0/8), and the extra ``expressway-remediate[lab]``.
"""

from remediate.lab.errors import LabError
from remediate.lab.lab import Lab
from remediate.lab.scenarios import SCENARIOS
from remediate.lab.verdict import JudgeAnswer, Target

__all__ = ["SCENARIOS", "JudgeAnswer", "Lab", "LabError", "Target"]
