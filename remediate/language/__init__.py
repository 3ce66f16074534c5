"""Language of what people read. JSON, events, the journal and exit codes are English, whatever it is."""
