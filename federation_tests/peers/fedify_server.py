"""Controls the Fedify peer in the style of the stories: its accounts, and the state of its server."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from federation_tests.fediverse import Fediverse, Person
from federation_tests.peers.processes import Peer
from node.models.post import Post
from tests.support.pictures import picture

PICTURE = picture(64, 48, seed=7)


class Fedify:
    def __init__(self, peer: Peer, scheme: str, world: Fediverse) -> None:
        self.peer = peer
        self.scheme = scheme
        self.world = world
        self.domain = peer.domain

    async def begin(self, **options: Any) -> None:
        """Clears all state. The options are those of the peer's `World`."""
        encoded = base64.b64encode(PICTURE).decode()
        await self.peer.do("reset", scheme=self.scheme, picture=encoded, **options)

    async def refuses(self, style: str) -> None:
        """From now on, signatures in that style are refused."""
        await self.peer.do("refuse", dialect=style)

    async def person(self, name: str, *, is_locked: bool = False) -> FedifyAccount:
        uri = await self.peer.do("person", name=name, locked=is_locked)
        return FedifyAccount(self, name, uri, f"{name}@{self.domain}")

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.peer.do("state")
        return found

    async def sees(self, post: Post) -> dict[str, Any] | None:
        """A local post as it was delivered to Fedify."""
        found: dict[str, Any] | None = (await self.state())["seen"].get(post.uri)
        return found

    async def requests(self, method: str, path: str) -> list[tuple[str, int]]:
        """The (signature style, status) of each request to a path of Fedify; the style is "none" when unsigned."""
        every = (await self.state())["requests"]
        return [(one[2], one[3]) for one in every if one[0] == method and one[1] == path]


@dataclass(frozen=True)
class FedifyAccount:
    """An account on Fedify. When a call returns, its activity has been delivered and processed."""

    server: Fedify
    name: str
    uri: str
    handle: str

    async def _do(self, verb: str, **arguments: Any) -> Any:
        found = await self.server.peer.do(verb, who=self.name, **arguments)
        await self.server.world.settle()
        return found

    async def follows(self, other: Person) -> None:
        await self._do("follow", target=(await other.account()).uri)

    async def unfollows(self, other: Person) -> None:
        await self._do("unfollow", target=(await other.account()).uri)

    async def accepts(self, other: Person) -> None:
        await self._do("accept", asker=(await other.account()).uri)

    async def posts(self, content: str, alts: list[str] | None = None, **more: Any) -> str:
        """Publishes a post with one photo per alt text; returns its uri."""
        return str(await self._do("post", content=content, alts=alts or [], **more))

    async def edits(self, uri: str, content: str) -> None:
        await self._do("edit", id=uri, content=content)

    async def deletes(self, uri: str) -> None:
        await self._do("delete", id=uri)

    async def likes(self, post: Post) -> None:
        await self._do("like", target=post.uri)

    async def boosts(self, post: Post) -> None:
        await self._do("boost", target=post.uri)

    async def undoes(self, verb: str, post: Post) -> None:
        """`verb` is "like" or "boost"."""
        await self._do("undo", what=f"{verb} {post.uri}", target=post.uri)

    async def fetches(self, uri: str) -> dict[str, Any]:
        """A document of a node, fetched with a signature of this account."""
        found: dict[str, Any] = await self._do("look", uri=uri)
        return found

    async def knows(self) -> dict[str, Any]:
        """followers, following (uri → "asked" or "accepted"), blockedBy and asked."""
        found: dict[str, Any] = (await self.server.state())["people"][self.name]
        return found
