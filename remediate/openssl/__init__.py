"""OpenSSL by ctypes: DER in, plain values out. Imports nothing of this project."""
