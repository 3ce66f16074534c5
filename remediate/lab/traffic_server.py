"""Judge with a private Apache Traffic Server per peer, as an Expressway-C runs it."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from remediate.lab.errors import LabError
from remediate.lab.verdict import JudgeAnswer, Settings, Target

_PORT = 8080
_START_S = 20.0
_ANSWER_S = 20.0
# However this process ends, its end of the pipe closes, and the shell kills the server.
_WATCH = '"$@" >/dev/null 2>&1 & child=$!; cat >/dev/null; kill -KILL "$child"; wait "$child" 2>/dev/null'
_OPENING = ("WARNING: Core server certificate verification failed", "WARNING: SNI (")

_RECORDS = """CONFIG proxy.config.http.server_ports STRING {port}:ip-in={address}:ip-out={address}
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.core_limit INT 0
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.http.cache.http INT 0
CONFIG proxy.config.dns.nameservers STRING {names}
CONFIG proxy.config.dns.round_robin_nameservers INT 0
CONFIG proxy.config.dns.resolv_conf STRING {directory}/resolv.conf
CONFIG proxy.config.dns.search_default_domains INT 0
CONFIG proxy.config.hostdb.ip_resolve STRING ipv4;only
CONFIG proxy.config.url_remap.remap_required INT 1
CONFIG proxy.config.url_remap.pristine_host_hdr INT 0
CONFIG proxy.config.http.connect_attempts_max_retries INT 0
CONFIG proxy.config.http.connect_attempts_max_retries_dead_server INT 0
CONFIG proxy.config.http.connect_attempts_rr_retries INT 0
CONFIG proxy.config.http.down_server.cache_time INT 0
CONFIG proxy.config.http.connect_attempts_timeout INT 5
CONFIG proxy.config.http.server_session_sharing.match STRING none
CONFIG proxy.config.ssl.origin_session_cache INT 0
CONFIG proxy.config.ssl.client.verify.server.policy STRING {policy}
CONFIG proxy.config.ssl.client.verify.server.properties STRING ALL
CONFIG proxy.config.ssl.client.CA.cert.path STRING {directory}
CONFIG proxy.config.ssl.client.CA.cert.filename STRING trusted.pem
CONFIG proxy.config.ssl.client.cipher_suite STRING {ciphers}
CONFIG proxy.config.ssl.client.TLSv1_3 INT {tls13}
CONFIG proxy.config.ssl.client.cert.path STRING {identity_folder}
CONFIG proxy.config.ssl.client.cert.filename STRING {identity_name}
CONFIG proxy.config.ssl.client.private_key.path STRING {identity_folder}
CONFIG proxy.config.ssl.client.private_key.filename STRING {identity_name}
CONFIG proxy.config.diags.output.diag STRING L
CONFIG proxy.config.diags.output.warning STRING L
"""


class TrafficServer:
    """Traffic server of one peer, started when it is first asked, and again after its settings changed.

    A running server does not notice a changed list, and connections it keeps open outlive the change: only a restart is sure.
    """

    def __init__(self, program: str, directory: Path, address: str, targets: Iterable[Target], names: str) -> None:
        self._program = program
        self._directory = directory
        self._address = address
        self._targets = tuple(targets)
        self._names = names
        self._settings: Settings | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, settings: Settings, target: Target) -> JudgeAnswer:
        """Send a client's request and return the status with the line that it left in the log.

        Raises:
            LabError: The server does not start or does not answer.
        """
        if settings != self._settings:
            self.stop()
            self._start(settings)
            self._settings = settings
        before = self._log_size()
        status = self._request(f"/{target.mra_path}/")
        return JudgeAnswer(status, self._line_after(before), "traffic_server")

    def stop(self) -> None:
        """Kill the server."""
        self._settings = None
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _start(self, settings: Settings) -> None:
        run_root = _write_configuration(self._directory, self._address, self._targets, self._names, settings)
        command = ["/bin/sh", "-c", _WATCH, "lab-judge", self._program, f"--run-root={run_root}"]
        # A session of its own: Ctrl-C at the terminal is for the lab, which then ends this.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, cwd=self._directory)
        deadline = time.monotonic() + _START_S
        while not self._accepts():
            if time.monotonic() > deadline:
                self.stop()
                raise LabError(f"The traffic server of {self._address} did not start: see {self._directory}/log/diags.log.")
            time.sleep(0.01)

    def _accepts(self) -> bool:
        try:
            socket.create_connection((self._address, _PORT), 1.0).close()
        except OSError:
            return False
        return True

    def _request(self, path: str) -> int:
        connection = http.client.HTTPConnection(self._address, _PORT, timeout=_ANSWER_S)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise LabError(f"The traffic server of {self._address} did not answer: {error}.") from error
        finally:
            connection.close()

    def _log_size(self) -> int:
        log = self._directory / "log" / "diags.log"
        return log.stat().st_size if log.exists() else 0

    def _line_after(self, offset: int) -> str | None:
        log = self._directory / "log" / "diags.log"
        if not log.exists():
            return None
        lines = log.read_bytes()[offset:].decode(errors="replace").splitlines()
        return next((line[line.index(text) :] for line in lines for text in _OPENING if text in line), None)


def _write_configuration(directory: Path, address: str, targets: Iterable[Target], names: str, settings: Settings) -> Path:
    shutil.rmtree(directory, ignore_errors=True)
    etc, run, log, empty = (directory / name for name in ("etc", "run", "log", "empty"))
    for folder in (etc, run, log, empty):
        folder.mkdir(parents=True)
    (directory / "trusted.pem").write_text("".join(certificate.pem for certificate in settings.trusted))
    records = _RECORDS.format(
        port=_PORT, address=address, names=names, directory=directory, ciphers=settings.ciphers,
        policy="ENFORCED" if settings.enforced else "PERMISSIVE", tls13=int(settings.tls13),
        identity_folder=settings.identity_file.parent if settings.identity_file else "NULL",
        identity_name=settings.identity_file.name if settings.identity_file else "NULL",
    )  # fmt: skip
    (etc / "records.config").write_text(records)
    (etc / "remap.config").write_text("".join(_remap(address, target) for target in targets))
    (etc / "ip_allow.yaml").write_text("ip_allow:\n  - {apply: in, ip_addrs: 0/0, action: allow, methods: ALL}\n")
    # Without a resolv.conf of its own it asks the system's name servers as well.
    (directory / "resolv.conf").write_text("")
    for name in ("plugin.config", "ssl_multicert.config", "storage.config", "logging.yaml", "sni.yaml"):
        (etc / name).write_text("")
    layout = {
        "prefix": directory, "exec_prefix": directory, "bindir": empty, "sbindir": empty, "sysconfdir": etc, "datadir": empty,
        "includedir": empty, "libdir": empty, "libexecdir": empty, "localstatedir": run, "runtimedir": run, "logdir": log,
        "cachedir": run,
    }  # fmt: skip
    run_root = directory / "runroot.yaml"
    run_root.write_text("".join(f'{key}: "{value}"\n' for key, value in layout.items()))
    return run_root


def _remap(address: str, target: Target) -> str:
    return f"map http://{address}:{_PORT}/{target.mra_path}/ https://{target.address}:{target.port}/\n"
