"""TLS: the handshake, the probe of an endpoint, pins."""
