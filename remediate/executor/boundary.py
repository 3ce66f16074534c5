"""The boundary around everything that talks to a peer or a node: whatever leaves it is an error of this project, rightly typed.

A reading that ends in anything else was not made (ObservationError). A write that ends in anything else may have been done
(OutcomeUnknown). An error of the executor itself, once the journal has a run, becomes an UnplannedError, which the end of a failed run
can handle.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from remediate.executor.environment import Environment
from remediate.executor.ports import ClusterPort
from remediate.model.access import ClusterAccess, MraAccess
from remediate.model.client import AnswerKind, ClientAnswer
from remediate.model.errors import FormatError, ObservationError, OutcomeUnknown, RemediateError
from remediate.model.events import Sink
from remediate.model.identity import Address, Product
from remediate.model.limits import Limits
from remediate.model.snapshot import Snapshot

_REPORT = "Please report this, with the version of remediate; a traceback is shown with REMEDIATE_DEBUG=1."


class UnplannedError(RemediateError):
    """An unforeseen error in the middle of a run. It leaves a run only where nothing was written."""

    default_next_step = f"Nothing was changed. {_REPORT}"


def place_of(error: BaseException) -> str:
    """Return the type of `error` and where it was raised, as modules and lines; never its text, which may hold anything."""
    innermost = ours = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        innermost = f"{frame.f_globals.get('__name__', 'an unnamed module')}:{line}"
        if innermost.startswith("remediate."):
            ours = innermost
    called = f", called from {ours}" if ours and ours != innermost else ""
    return f"{type(error).__name__} at {innermost}{called}" if innermost else type(error).__name__


def as_failure(error: Exception) -> RemediateError:
    """Return `error` as the end of a failed run can handle it: itself, or an UnplannedError with its type and place."""
    if isinstance(error, RemediateError):
        return error
    planned = UnplannedError(f"An unexpected error: {place_of(error)}.")
    planned.__cause__ = error
    return planned


@contextmanager
def reading(source: str) -> Iterator[None]:
    """Raise ObservationError in the place of any foreign error that a reading of `source` raises."""
    try:
        yield
    except FormatError as error:
        raise ObservationError(f"The answer of {source} cannot be read: {error}") from error
    except RemediateError:
        raise
    except Exception as error:
        raise ObservationError(f"{source} could not be read: {place_of(error)}. {_REPORT}") from error


@contextmanager
def writing(target: str) -> Iterator[None]:
    """Raise OutcomeUnknown in the place of any foreign error that a write to `target` raises."""
    try:
        yield
    except FormatError as error:
        raise OutcomeUnknown(f"The answer of {target} to a write cannot be read: {error}") from error
    except RemediateError:
        raise
    except Exception as error:
        raise OutcomeUnknown(f"It is not known whether {target} carried out a write: {place_of(error)}. {_REPORT}") from error


def add_boundary(environment: Environment) -> Environment:
    """Return `environment` with the boundary around each connector that it calls by itself. Peers get theirs in `reconnecting`."""

    def open_peers(cluster: ClusterAccess, limits: Limits, *, writable: bool) -> ClusterPort:
        with reading(f"cluster {cluster.name}"):
            return environment.open_peers(cluster, limits, writable=writable)

    def observe(
        cluster: ClusterAccess, *, limits: Limits, sink: Sink, opened: ClusterPort | None = None, is_last: bool = False
    ) -> Snapshot:
        with reading(f"cluster {cluster.name}"):
            return environment.observe(cluster, limits=limits, sink=sink, opened=opened, is_last=is_last)

    def ask_through(access: MraAccess, address: Address, port: int, product: Product | None, limits: Limits) -> ClientAnswer:
        try:
            return environment.ask_through(access, address, port, product, limits)
        except RemediateError:
            raise
        except Exception as error:  # noqa: BLE001 - what goes wrong between a client and a node is an answer, too
            return ClientAnswer(AnswerKind.NOTHING, f"no request could be sent ({place_of(error)})")

    return replace(environment, open_peers=open_peers, observe=observe, ask_through=ask_through)
