"""Connections to PostgreSQL, one for each thread, which nobody waits for longer than the server deserves.

libpq waits for ever for a server that is stopped, or behind a network that swallows what is sent: neither its time
limits nor TCP's notice a process that hangs. So a thread watches the others. When one has waited for some seconds, it
tries to connect anew; if that fails too, the database counts as unavailable and the sockets of those that wait are
shut, which ends their waiting. From then on units of work are refused at once, and the watching thread goes on
connecting until the server answers again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from node.database.core import NOT_STORABLE
from node.errors import DatabaseFull, DatabaseUnavailable, Invalid

log = logging.getLogger("tintype.database")

T = TypeVar("T")

CONNECT_SECONDS = 4
PROBE_SECONDS = 2
PROBE_AFTER_SECONDS = 2.5
STATEMENT_SECONDS = 15  # the server's own limit, for any statement
LOCK_SECONDS = 10  # how long a statement waits for a row that another unit has changed; it may work later
STUCK_SECONDS = 18.0  # for one whose server process does not keep that limit
CLOSE_SECONDS = 0.7
_TICK_SECONDS = 0.25
_RETRY_SECONDS = 1.0

# A connection whose other end has gone is noticed although nothing is sent; the URL of the database may say otherwise.
_NETWORK = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
# Planning costs more than most of these statements do, so each is planned once for a connection, without its values:
# tests/growth counts what the plans read that are made so.
_SESSION = (
    f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s -c idle_in_transaction_session_timeout=60s"
    " -c random_page_cost=1.1 -c jit=off -c plan_cache_mode=force_generic_plan"
)
# SQLSTATE: what a person has to correct before it can work, and a statement that took too long, as it will again.
_PERMANENT = ("28", "3D", "3F", "42", "57014", "XX")
# NUL (found by psycopg itself), a number out of range, text that is no UTF-8.
_NOT_STORABLE_STATES = ("", "22003", "22021", "22P05")
# Raised by what a unit of work does, and not by the state of the server.
_OF_THE_UNIT = (errors.SerializationFailure, errors.DeadlockDetected)


class Slot:
    """One thread's connection. `since` is when it began to wait for what it waits for, or 0."""

    __slots__ = ("_socket", "connection", "is_committing", "is_cut", "is_patient", "since")

    def __init__(self) -> None:
        self.connection: psycopg.Connection[Any] | None = None
        self.since = 0.0
        self.is_committing = False
        self.is_patient = False
        self.is_cut = False
        self._socket: socket.socket | None = None

    def open(self, url: str) -> psycopg.Connection[Any]:
        self.connection = psycopg.connect(
            url, autocommit=True, prepare_threshold=2, application_name="tintype", options=_SESSION
        )
        self.is_cut = False
        # A copy of its own, so that the watching thread can never shut a socket of somebody else with the same number.
        self._socket = socket.fromfd(self.connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)
        return self.connection

    @property
    def is_lost(self) -> bool:
        return self.connection is None or self.connection.closed or self.is_cut

    def cut(self) -> None:
        """Ends what waits for the server on another thread: its connection counts as lost."""
        self.is_cut = True
        if (held := self._socket) is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def drop(self) -> None:
        held, self._socket = self._socket, None
        if held is not None:
            held.close()
        if self.connection is not None:
            with contextlib.suppress(psycopg.Error):
                self.connection.close()
        self.connection = None


class PostgresPool:
    """Runs work on threads of its own, each with a connection."""

    def __init__(self, url: str, size: int) -> None:
        # What the URL says itself goes before.
        given = conninfo_to_dict(url)
        self._url = make_conninfo(
            url, **{name: value for name, value in _NETWORK.items() if name not in given}
        )
        self._probe_url = make_conninfo(self._url, connect_timeout=PROBE_SECONDS)
        self._threads = ThreadPoolExecutor(size, "postgres")
        self._slots = [Slot() for _ in range(size)]
        self._free: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        for slot in self._slots:
            self._free.put(slot)
        self._unavailable: DatabaseUnavailable | None = None
        self._has_answered = False  # until it has, who opens it says what is wrong
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="postgres-watch", daemon=True)
        self._watcher.start()

    async def run(self, work: Callable[[Slot, psycopg.Connection[Any]], T], *, is_patient: bool = False) -> T:
        """Runs `work` on a thread. Raises DatabaseUnavailable; `is_patient`: no statement takes too long."""
        return await asyncio.shield(
            asyncio.get_running_loop().run_in_executor(self._threads, self._run, work, is_patient)
        )

    def _run(self, work: Callable[[Slot, psycopg.Connection[Any]], T], is_patient: bool) -> T:
        slot = self._free.get()
        slot.is_patient = is_patient
        was_connected = slot.connection is not None
        try:
            try:
                return self._run_on(slot, work)
            except psycopg.Error as error:
                # A connection that was lost since it was last used, as by a restart, has done nothing of this
                # unit unless its end was being committed.
                if not was_connected or not slot.is_lost or slot.is_cut or slot.is_committing:
                    raise
                slot.drop()
                log.info("a connection to the database was lost: %s", _one_line(error))
                return self._run_on(slot, work)
        except psycopg.Error as error:
            raise explain(error) from error
        except UnicodeEncodeError as error:
            raise Invalid(NOT_STORABLE) from error
        finally:
            slot.since = 0.0
            if slot.is_lost:
                slot.drop()
            self._free.put(slot)

    def _run_on(self, slot: Slot, work: Callable[[Slot, psycopg.Connection[Any]], T]) -> T:
        if self._unavailable is not None:
            raise DatabaseUnavailable(str(self._unavailable.__cause__ or "it does not answer"))
        slot.is_committing = False
        connection = slot.connection
        if connection is None:
            try:
                connection = slot.open(self._url)
            except psycopg.Error as error:
                self._set_unavailable(error)
                raise
            self._has_answered = True
        slot.since = time.monotonic()
        return work(slot, connection)

    def _watch(self) -> None:
        next_probe = 0.0
        while not self._closing.wait(_TICK_SECONDS):
            now = time.monotonic()
            waiting = [slot for slot in self._slots if slot.since and now - slot.since > PROBE_AFTER_SECONDS]
            if (waiting or self._unavailable is not None) and now >= next_probe:
                self._probe(waiting)
                next_probe = time.monotonic() + _RETRY_SECONDS
            for slot in waiting:
                if slot.since and not slot.is_patient and now - slot.since > STUCK_SECONDS:
                    slot.cut()

    def _probe(self, waiting: list[Slot]) -> None:
        """Tries to connect. If that fails, nobody waits for the server any longer."""
        try:
            psycopg.connect(self._probe_url, application_name="tintype").close()
        except psycopg.Error as error:
            self._set_unavailable(error)
            if self._unavailable is not None:
                for slot in waiting:
                    slot.cut()
        else:
            if self._unavailable is not None:
                log.warning("the database answers again")
                self._unavailable = None

    def _set_unavailable(self, error: psycopg.Error) -> None:
        """Refuses all units until the server answers, unless it has only no room for one more connection."""
        if isinstance(error, errors.TooManyConnections) and any(slot.connection for slot in self._slots):
            return
        if self._unavailable is None and self._has_answered:
            log.error("the database does not answer: %s", _one_line(error))
        unavailable = explain(error)
        unavailable.__cause__ = error
        self._unavailable = unavailable

    async def close(self) -> None:
        """Waits for the units that are queued, and closes the connections; cuts them after `CLOSE_SECONDS`."""
        ending = threading.Thread(target=self._threads.shutdown, daemon=True)
        ending.start()
        cut_at = time.monotonic() + (0 if self._unavailable else CLOSE_SECONDS)
        is_cut = False
        while ending.is_alive() and time.monotonic() < cut_at + CLOSE_SECONDS:
            if not is_cut and time.monotonic() > cut_at:
                is_cut = True
                self._closing.set()
                self._unavailable = DatabaseUnavailable("it is being closed")
                for slot in self._slots:
                    slot.cut()
            await asyncio.sleep(0.005)
        self._closing.set()
        if not ending.is_alive():
            for slot in self._slots:
                slot.drop()


def explain(error: psycopg.Error) -> DatabaseUnavailable:
    """Returns what it means for who asked, if it is about the server.

    Raises Invalid for a value that cannot be stored, and the error itself if it is neither.
    """
    state = error.sqlstate or ""
    if isinstance(error, psycopg.DataError) and state in _NOT_STORABLE_STATES:
        raise Invalid(NOT_STORABLE) from error
    is_of_server = (
        (isinstance(error, psycopg.OperationalError) and not isinstance(error, _OF_THE_UNIT))
        or (isinstance(error, psycopg.InterfaceError) and not state)
        or isinstance(error, errors.ReadOnlySqlTransaction)
        or state.startswith("XX")
    )
    if not is_of_server:
        raise error
    text = _one_line(error)
    if isinstance(error, errors.DiskFull):
        return DatabaseFull(text)
    is_permanent = state.startswith(_PERMANENT) or (not state and _names_a_mistake(text))
    return DatabaseUnavailable(text, is_temporary=not is_permanent)


def _names_a_mistake(text: str) -> bool:
    """Returns whether the server refuses who connects: errors while connecting have no SQLSTATE."""
    return any(
        words in text
        for words in ("authentication failed", "does not exist", "no password supplied", "pg_hba.conf")
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
