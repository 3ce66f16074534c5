"""A server that has every module of `remediate` loaded and forks for each command line: a page costs no start of Python a line.

``python -m tests.docs.preloaded SOCKET CALLS`` serves until it is ended; `write_client` makes the program that asks it.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import remediate
from remediate.cli.app import run
from remediate.lab.pace import LAB_LIMITS

LIMITS = replace(LAB_LIMITS, effect_s=0.3, sign_in_again_s=0.6, shell_quiet_s=0.05, diagnostic_log_poll_s=0.05)
"""The lab's pace."""

_CLIENT = """#!{python} -IS
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
socket.send_fds(connection, [b"!"], [0, 1, 2])
connection.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
connection.shutdown(socket.SHUT_WR)
sys.exit(int(connection.makefile().read() or 70))
"""


def write_client(path: Path, address: Path) -> None:
    """Write the program `remediate` that has its command line run by the server at `address`."""
    path.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
    path.chmod(0o700)


def serve(address: Path, calls: Path) -> None:
    """Serve forever, and append each command line with its exit code to `calls`."""
    for module in pkgutil.walk_packages(remediate.__path__, "remediate."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the children
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _run_command_line(connection, calls)
        connection.close()


def _run_command_line(connection: socket.socket, calls: Path) -> None:
    """Run what a client asks for, with its files, folder and environment, and end this process."""
    code = 70
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _, files, _, _ = socket.recv_fds(connection, 1, 3)
        arguments, folder, environment = json.loads(connection.makefile("rb").read())
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode, closefd=False) for number, mode in enumerate("rww"))  # noqa: SIM115
        code = int(run(arguments, LIMITS))
        sys.stdout.flush()
        sys.stderr.flush()
        with calls.open("a") as log:
            log.write(json.dumps([arguments, code]) + "\n")
    finally:
        connection.sendall(str(code).encode())
        os._exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), Path(sys.argv[2]))
