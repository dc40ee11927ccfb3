"""Runs several whole nodes in one process, joined by real HTTPS: `people`, what they do, and what they see.

Nothing between them is faked: each has its database, its media folder, its client and its socket. Tests never
sleep: `settle` runs the jobs of all nodes until none is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from activitypub.remote import lookup
from federation_tests.authority import Authority
from federation_tests.servers import Server, localhost
from node.accounts import accounts, keys, relationships
from node.attachments import photo_rows, photos
from node.config import Config, FederationOptions, MediaOptions, NodeOptions, RegistrationOptions
from node.database import Reader, Writer
from node.federation import delivery_reports
from node.federation.delivery_reports import DeliveryCounts
from node.interactions import blocks, boosts, follows, likes
from node.lifecycle import account_deletion
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.text import formatting
from node.timelines import notification_list, post_views, timelines
from node.timelines.post_views import PostView
from tests.support import people
from tests.support.pictures import picture
from web import wiring
from web.app import create_app


@dataclass
class Running:
    """One node with its web server."""

    node: Node
    server: Server


class Fediverse:
    def __init__(
        self,
        folder: Path,
        authority: Authority,
        ports: dict[str, int],
        fresh: Callable[[Config], Config],
        pair: Callable[[str], keys.KeyPair],
    ) -> None:
        self._folder = folder
        self._authority = authority
        self._ports = ports
        self._fresh = fresh
        self._pair = pair
        self.running: dict[str, Running] = {}
        self.change: Callable[[Config], Config] = lambda options: options
        """Changes the options of the nodes that are started from now on."""
        self.front: Callable[[Any], Any] = lambda app: app
        """Wraps the ASGI apps of the nodes that are started from now on."""

    def domain(self, name: str) -> str:
        """`a.test` → `a.test:49152`: the public host of a node in these tests."""
        return f"{name}:{self._ports[name]}"

    async def node(self, name: str) -> Node:
        """The node of that name, started on first use."""
        if name not in self.running:
            options = Config(
                node=NodeOptions(domain=self.domain(name), title=name, secret=f"the secret of {name}"),
                media=MediaOptions(url=f"file:{self._folder / name / 'media'}"),
                federation=FederationOptions(allow_private_addresses=True, ca_file=self._authority.ca_file),
                registration=RegistrationOptions(mode="open"),
            )
            options = self._fresh(self.change(options))
            node = await wiring.open_node(options, resolve=localhost, timeout_seconds=8.0)
            authority = self._authority if node.site.scheme == "https" else None
            server = Server(self.front(create_app(node)), self._ports[name], authority)
            self.running[name] = Running(node, server)
            await server.start()
        return self.running[name].node

    async def people(self, *handles: str) -> list[Person]:
        """Creates local accounts: `alice@a.test` on the node a.test."""
        return [await self.person(handle) for handle in handles]

    async def person(self, handle: str) -> Person:
        name, _, host = handle.partition("@")
        node = await self.node(host)
        account = await node.db.write(accounts.create_local, name, pair=self._pair(handle))
        return Person(self, node, account.id, f"{name}@{node.site.handle_domain}")

    async def settle(self, *, now: int | None = None) -> int:
        """Runs all jobs that are due (at the time `now`, in milliseconds), and those they queue; how many ran."""
        total = 0
        while ran := sum([await wiring.run_due_jobs(one.node, now) for one in list(self.running.values())]):
            total += ran
            assert total < 10_000, "the nodes queue jobs for ever"
        return total

    async def down(self, name: str) -> None:
        """Stops the web server of a node; its database and its jobs stay."""
        await self.running[name].server.stop()

    async def up(self, name: str) -> None:
        await self.running[name].server.start()

    async def close(self) -> None:
        await asyncio.gather(*(one.server.stop() for one in self.running.values()))
        for one in self.running.values():
            await one.node.close()


class Named(Protocol):
    """A person on any server."""

    @property
    def handle(self) -> str: ...


@dataclass(frozen=True)
class HandleOnly:
    """A person of whom only the handle is known."""

    handle: str


@dataclass
class Person:
    """A local account of one node, and what it does there.

    Posts and people of other nodes may be passed as the objects of those nodes: they are found by URI or handle.
    """

    fediverse: Fediverse
    node: Node
    id: int
    handle: str

    async def account(self) -> Account:
        return await self.node.db.read(accounts.get, self.id)

    async def finds(self, other: Named) -> Account:
        """The other person as this node has it, looked up over the network if it has not."""
        found = await lookup.resolve(self.node, "@" + other.handle, await self.account())
        assert isinstance(found, Account)
        return found

    async def _post(self, post: Post) -> Post:
        """A post of any node as this node has stored it."""
        stored = await self.node.db.read(posts.by_uri, post.uri)
        assert stored is not None, f"{post.uri} is not on the node of {self.handle}"
        return stored

    async def _do(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Calls `action(tx, account, …)` in one unit of work."""

        def unit(tx: Writer) -> Any:
            return action(tx, accounts.get(tx, self.id), *args, **kwargs)

        return await self.node.db.write(unit)

    async def posts(
        self,
        caption: str = "",
        *,
        photos_: int = 0,
        photo: str | None = None,
        alt: str = "",
        visibility: str = "public",
        on: Post | None = None,
        **more: Any,
    ) -> Post:
        """Publishes a post; `photo` is the alt text of one photo, `photos_` the number of several."""
        await lookup.fetch_mentioned_accounts(self.node, caption)
        author = await self.account()
        alts = [photo] if photo is not None else [f"{alt} {n}".strip() for n in range(photos_)]
        uploaded = [
            await photos.upload(self.node, author, picture(64, 48, seed=len(text) + n), alt=text)
            for n, text in enumerate(alts)
        ]
        parent = None if on is None else (await self._post(on)).id
        draft = Draft(
            caption=caption,
            photo_ids=[one.id for one in uploaded],
            visibility=visibility,
            parent_id=parent,
            **more,
        )
        post: Post = await self._do(publishing.publish, draft)
        return post

    async def comments(self, post: Post, text: str, *, visibility: str = "public") -> Post:
        return await self.posts(text, on=post, visibility=visibility)

    async def edits(self, post: Post, caption: str, *, alts: list[str] | None = None) -> Post:
        stored = await self._post(post)
        attached = (await self.node.db.read(photo_rows.by_posts, [stored.id])).get(stored.id, [])
        new_alts = dict(zip([one.id for one in attached], alts or [], strict=False))
        draft = Draft(
            caption=caption,
            photo_ids=[one.id for one in attached],
            alts=new_alts,
            visibility=stored.visibility,
            parent_id=stored.parent_id,
        )
        edited: Post = await self._do(publishing.edit, stored, draft)
        return edited

    async def deletes(self, post: Post) -> None:
        await self._do(post_deletion.delete, await self._post(post))

    async def likes(self, post: Post) -> None:
        await self._do(likes.like, await self._post(post))

    async def unlikes(self, post: Post) -> None:
        await self._do(likes.unlike, await self._post(post))

    async def boosts(self, post: Post) -> None:
        await self._do(boosts.boost, await self._post(post))

    async def unboosts(self, post: Post) -> None:
        await self._do(boosts.unboost, await self._post(post))

    async def follows(self, other: Named) -> None:
        await self._do(follows.follow, await self.finds(other))

    async def unfollows(self, other: Named) -> None:
        await self._do(follows.unfollow, await self.finds(other))

    async def blocks(self, other: Person) -> None:
        await self._do(blocks.block, await self.finds(other))

    async def accepts(self, other: Named) -> None:
        await self._answer_follow(other, follows.accept)

    async def rejects(self, other: Named) -> None:
        await self._answer_follow(other, follows.reject)

    async def _answer_follow(self, other: Named, answer: Callable[..., Any]) -> None:
        def unit(tx: Writer, follower: Account) -> None:
            follow = relationships.follow_between(tx, follower, accounts.get(tx, self.id))
            assert follow is not None, f"{other.handle} has sent no follow request"
            answer(tx, follow)

        await self.node.db.write(unit, await self.finds(other))

    async def locks(self) -> None:
        """From now on, follows need approval."""
        await self.node.db.write(people.lock, await self.account())

    async def leaves(self) -> None:
        """Deletes the account."""
        await self._do(account_deletion.delete_account)

    async def is_following(self, other: Named) -> bool:
        found = await self.node.db.read(
            relationships.follow_between, await self.account(), await self.finds(other)
        )
        return found is not None and found.is_accepted

    async def home(self) -> list[str]:
        """The captions in the home feed as text, newest first."""
        return [formatting.html_to_text(view.post.caption) for view in await self.home_views()]

    async def home_views(self) -> list[PostView]:
        def unit(tx: Reader) -> list[PostView]:
            viewer = accounts.get(tx, self.id)
            return post_views.by_entries(tx, viewer, timelines.home(tx, viewer, Page()))

        return await self.node.db.read(unit)

    async def sees(self, post: Post) -> PostView | None:
        """The post as this node shows it to this person; None if it is not stored or not visible."""

        def unit(tx: Reader) -> PostView | None:
            stored = posts.by_uri(tx, post.uri)
            if stored is None:
                return None
            views = post_views.by_entries(tx, accounts.get(tx, self.id), [stored.id])
            return views[0] if views else None

        return await self.node.db.read(unit)

    async def conversation(self, post: Post) -> list[str]:
        """The captions of all comments below a post as text, as this node shows them."""

        def unit(tx: Reader) -> list[str]:
            viewer = accounts.get(tx, self.id)
            stored = posts.by_uri(tx, post.uri)
            if stored is None:
                return []
            _, comments = timelines.thread(tx, viewer, stored)
            views = post_views.by_entries(tx, viewer, comments)
            return [formatting.html_to_text(view.post.caption) for view in views]

        return await self.node.db.read(unit)

    async def delivery_counts(self, post: Post) -> DeliveryCounts:
        """The delivery report of the latest activity about a post of this person."""

        def unit(tx: Reader) -> DeliveryCounts:
            found = delivery_reports.latest(tx, accounts.get(tx, self.id), post.id)
            return delivery_reports.NO_DELIVERIES if found is None else found.counts

        return await self.node.db.read(unit)

    async def notifications(self) -> list[tuple[str, str]]:
        """(kind, handle of the actor) of each notification, oldest first. Handles are without the test's port."""
        listed = await self.node.db.read(
            lambda tx: notification_list.page(tx, accounts.get(tx, self.id), Page())
        )
        return [(one.kind, f"{one.by.name}@{one.by.domain.partition(':')[0]}") for one in reversed(listed)]


def stored(tx: Reader, uri: str) -> bool:
    """Whether a node has a row for the post, even a deleted one."""
    return posts.by_uri(tx, uri) is not None


async def has(node: Node, post: Post) -> bool:
    return await node.db.read(stored, post.uri)
