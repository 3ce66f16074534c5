"""Expressway: the REST interface, the shell, and the peers of a cluster."""
