"""The only code that talks to systems: Expressway REST and shell, TLS, Unified CM; and collect, which makes a Snapshot of them."""
