"""``python -m remediate`` is the command `remediate`."""

from remediate.cli import main

main()
