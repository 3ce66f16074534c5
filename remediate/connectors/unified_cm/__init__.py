"""Unified CM and related products: publishers, nodes, and discovery."""
