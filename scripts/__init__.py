"""Scripts for building, checking and releasing; none of them is installed."""
