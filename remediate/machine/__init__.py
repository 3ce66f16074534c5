"""What the operating system holds for us: files that are opened with care, and limits of our own processes."""
