"""What must be remembered is written as soon as the database answers again."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from node.database import Database
from node.errors import DatabaseUnavailable, Invalid
from node.jobs.retrying import write_when_available


class Failing:
    """A database that fails in the given ways, and then works."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.tries = 0

    async def write(self, unit: Any, *args: Any) -> Any:
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)
        return unit(*args)


async def write(db: Failing) -> int:
    return await write_when_available(cast(Database, db), lambda tx: tx + 1, 1)  # type: ignore[call-arg,arg-type,operator,return-value]


async def test_it_is_tried_again_until_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.jobs.retrying.PAUSE_SECONDS", 0.0)
    db = Failing(*[DatabaseUnavailable("it is away")] * 5)

    assert await write(db) == 2
    assert db.tries == 6


@pytest.mark.parametrize("error", [Invalid("No."), DatabaseUnavailable("damaged", is_temporary=False)])
async def test_what_waiting_does_not_help_is_raised_at_once(error: Exception) -> None:
    db = Failing(error)

    with pytest.raises(type(error)):
        await write(db)
    assert db.tries == 1


async def test_it_ends_when_it_is_cancelled() -> None:
    writing = asyncio.create_task(write(Failing(*[DatabaseUnavailable("it is away")] * 99)))
    await asyncio.sleep(0.01)
    writing.cancel()

    with pytest.raises(asyncio.CancelledError):
        await writing
