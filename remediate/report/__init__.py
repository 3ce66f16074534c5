"""Views of the same objects: terminal, HTML, Markdown ticket, JSON, events."""
