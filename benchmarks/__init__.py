"""What README claims about speed, measured beside a named peer in the same run: ``make bench``."""
