"""Benchmarks: the speed that README claims, each measured beside a named library in the same run (``make bench``)."""
