"""Killing a whole apply at every step, on the lab: `make torture` at every one, `make test` at some."""
