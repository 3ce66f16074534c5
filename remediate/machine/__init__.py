"""Facilities of the operating system: files that are opened with care, and limits of this process."""
