"""Files with CA certificates that the operator vouches for."""

from __future__ import annotations

from pathlib import Path

from remediate.machine.files import list_files
from remediate.model.errors import InventoryError

_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
_NEXT_STEP = "Name a file with CA certificates, PEM or DER, or a folder of them, and run the command again."


def authority_files(path: Path) -> tuple[Path, ...]:
    """Return `path` itself, or the ``*.pem``, ``*.crt``, ``*.cer`` and ``*.der`` files of a folder, sorted by name.

    Raises:
        InventoryError: there is no such file, or the folder has none of them.
    """
    try:
        files = list_files(path, lambda file: file.suffix.lower() in _SUFFIXES)
    except FileNotFoundError as error:
        raise InventoryError(f"{path}: no such file or folder of CA certificates.", next_step=_NEXT_STEP) from error
    except OSError as error:
        raise InventoryError(f"{path}: cannot be looked at: {error.strerror}.", next_step=_NEXT_STEP) from error
    if not files:
        raise InventoryError(f"{path}: this folder has no .pem, .crt, .cer or .der file.", next_step=_NEXT_STEP)
    return files
