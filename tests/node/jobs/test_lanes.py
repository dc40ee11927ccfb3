"""Lanes count their jobs, and a lane that is empty is gone."""

from __future__ import annotations

from node.database import Writer
from node.jobs import lanes
from node.node import Node


async def test_a_lane_is_held_from_its_first_job_to_its_last(node: Node) -> None:
    def unit(tx: Writer) -> None:
        assert lanes.enter(tx, ["far.example", "far.example", "sea.example"]) == set()
        assert lanes.enter(tx, ["far.example"]) == {"far.example"}
        assert lanes.leave(tx, ["far.example", "far.example", ""]) == ["far.example"]
        assert lanes.leave(tx, ["far.example", "sea.example"]) == []
        assert lanes.nonempty(tx, ["far.example", "sea.example"]) == set()

    await node.db.write(unit)


async def test_many_lanes_at_once_are_each_counted(node: Node) -> None:
    names = [f"host{n}.example" for n in range(150)]

    def unit(tx: Writer) -> None:
        assert lanes.enter(tx, names) == set()
        assert lanes.enter(tx, names) == set(names)
        assert lanes.leave(tx, names) == sorted(names)

    await node.db.write(unit)


async def test_only_the_sublanes_of_a_lane_are_found(node: Node) -> None:
    names = [
        "far.example inbox post:1",
        "far.example inbox post:2",
        "far.example other post:1",
        "far.example.org inbox",
    ]

    def unit(tx: Writer) -> None:
        lanes.enter(tx, ["far.example", *names])
        lanes.enter(tx, names[:1])
        assert sorted(lanes.sublanes(tx, "far.example")) == names[:3]
        assert sorted(lanes.sublanes(tx, "far.example inbox")) == names[:2]
        assert lanes.has_sublane(tx, "far.example.org")
        assert not lanes.has_sublane(tx, "far")
        assert not lanes.has_sublane(tx, "far.example inbox post:1")

    await node.db.write(unit)


async def test_a_sublane_is_named_by_its_lane_and_a_blank(node: Node) -> None:
    def unit(tx: Writer) -> None:
        lanes.enter(tx, ["far.example", "far.example aside", "far.example.org"])
        assert lanes.sublanes(tx, "far.example") == ["far.example aside"]
        assert sorted(lanes.delete(tx, "far.example")) == ["far.example", "far.example aside"]
        assert lanes.nonempty(tx, ["far.example", "far.example.org"]) == {"far.example.org"}

    await node.db.write(unit)
