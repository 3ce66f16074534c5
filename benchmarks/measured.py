"""Run a command, and print its wall seconds, its CPU seconds and the peak MB of its largest process."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

started = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{time.monotonic() - started:.2f} {spent.ru_utime + spent.ru_stime:.2f} {spent.ru_maxrss // 1024}")
