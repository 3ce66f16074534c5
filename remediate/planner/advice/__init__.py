"""The advice: why an endpoint stays refused, and what a person can do about it."""
