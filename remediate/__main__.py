"""``python -m remediate`` is the command `remediate`."""

from remediate.cli import main

if __name__ == "__main__":  # processes that plan import it too
    main()
