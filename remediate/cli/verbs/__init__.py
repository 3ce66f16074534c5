"""The verbs, each in its own file, each a `click.Command` named `command`."""
