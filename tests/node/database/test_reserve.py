"""Space that is kept for the database: made while there is room, given away once."""

from __future__ import annotations

import resource
from pathlib import Path

from node.database.reserve import MAX_BYTES, MIN_BYTES, Reserve


def test_the_space_is_kept_until_it_is_given_away(tmp_path: Path) -> None:
    reserve, file = Reserve(str(tmp_path / "tintype.db")), tmp_path / "tintype.db.reserve"

    reserve.fill()
    assert 0 < file.stat().st_size <= MAX_BYTES
    assert file.stat().st_blocks * 512 >= file.stat().st_size, "no hole"

    assert reserve.release()
    assert not reserve.release()
    assert list(tmp_path.iterdir()) == []


def test_it_is_made_again_after_a_while_only(tmp_path: Path) -> None:
    reserve = Reserve(str(tmp_path / "tintype.db"))
    assert reserve.is_due()
    reserve.fill()
    assert not reserve.is_due()
    reserve.release()
    assert not reserve.is_due()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    Reserve(str(tmp_path / "nowhere" / "tintype.db")).fill()


def test_there_is_room_where_a_file_can_be_written(tmp_path: Path) -> None:
    reserve = Reserve(str(tmp_path / "tintype.db"))
    assert reserve.has_room()

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIN_BYTES // 2, limits[1]))
    try:
        assert not reserve.has_room(), "the disk has space, but this process may not use it"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert list(tmp_path.iterdir()) == []
    assert Reserve(str(tmp_path / "nowhere" / "tintype.db")).has_room(), "that is another fault"
