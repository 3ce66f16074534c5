"""Unified CM and its siblings: the publishers and the discovery of nodes."""
