"""Randomised histories of applies, rollbacks, crashes, faults and other people, each held against what the devices truly did."""
