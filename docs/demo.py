"""A node with demo accounts and photos: for the screenshots, and to try things.

`python docs/demo.py FOLDER` makes one in FOLDER and serves it at http://localhost:8473, where alice signs in
with the password in `PASSWORD`. `make dev` does so too, in data/demo, and restarts it when a file changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]

import scenes

from node import ids
from node.accounts import accounts, keys
from node.attachments import avatars, photos
from node.attachments.photo_metadata import SharedMetadata
from node.auth import passwords
from node.config import (
    BadConfig,
    Config,
    DatabaseOptions,
    FederationOptions,
    MediaOptions,
    NodeOptions,
    RegistrationOptions,
    ServerOptions,
)
from node.database import Writer
from node.database.lock import DatabaseInUse
from node.ids import now_ms
from node.interactions import blocks, bookmarks, boosts, follows, likes
from node.lifecycle import profiles, registration, remote_accounts
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, InteractionPolicy
from node.models.post import Post
from node.models.remote_actor import RemoteActor
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from web import wiring
from web.server import serve

PASSWORD = "a picture a day"
BIND = "localhost:8473"

PEOPLE = {
    "alice": (
        "Alice Varga",
        "Mountains before breakfast. Film when the light is slow.\nMostly the Alps, sometimes the sea. #landscape",
        "ridges",
    ),
    "bob": ("Bob Lindqvist", "Harbours, ferries and weather.", "harbour"),
    "mei": ("Mei Tanaka", "Flowers from very near.", "dahlia"),
    "ines": ("Inês Duarte", "Town after dark. #night", "night"),
    "otto": ("Otto Brandt", "Trees, mostly. I choose who follows me.", "mist"),
    "zara": ("Zara El-Amin", "Sand and silence.", "dunes"),
}

# Author, names of scenes, caption.
POSTS = [
    ("otto", ["mist"], "First frost this morning. The valley held its breath until nine. #forest #fog"),
    ("bob", ["quay"], "Last ferry. #sea"),
    ("mei", ["gold", "iris", "dahlia"], "Three from the garden, before the rain took them. #flowers #macro"),
    ("zara", ["desert"], "Twenty minutes of this colour, then stars. #desert #landscape"),
    ("ines", ["rain"], "Waiting for the 23:40. #night #rain"),
    ("alice", ["peaks"], "From the hut, looking south. #mountains #landscape"),
    ("bob", ["bay"], "No wind at all. #sea #landscape"),
    ("ines", ["fair"], "The fair is back in town #night"),
    ("zara", ["dunes"], "Climbed this one twice because I forgot the lens cap. #desert"),
    ("alice", ["alps"], "Down into the valley. #mountains"),
    ("mei", ["dahlia"], "Dahlia, 1:1. #flowers #macro"),
    ("otto", ["pines"], "Warm fog, if there is such a thing. #forest #fog #landscape"),
    ("bob", ["harbour"], "Home is on the left. #sea"),
    ("ines", ["night"], "Counting windows. #night"),
    (
        "alice",
        ["ridges", "peaks", "alps"],
        "Three mornings in a row, the same ridge from three sides. It took @bob a whole thermos to stay awake for the first one. #landscape #mountains",
    ),
]

COMMENTS = [
    (
        "bob",
        "That light! Which way were you looking?",
        [
            (
                "alice",
                "East, from the small chapel. I will show you next time.",
                [("bob", "I bring the coffee.", [])],
            )
        ],
    ),
    ("mei", "The second one is my favourite.", [("otto", "Mine too. The layers.", [])]),
    ("zara", "Frame this.", []),
]


def options(folder: Path) -> Config:
    """Return the options of the demo node of a folder."""
    return Config(
        node=NodeOptions(
            domain=BIND,
            title="Silver & Light",
            description="A small home for people who take their time with photos. Run by a camera club in Graz, open to friends everywhere.",
            rules=(
                "Show your own photos, and say whose they are when they are not.",
                "Be kind. A photo you do not like needs no comment.",
                "Warn before what not everybody wants to see.",
            ),
            secret="only for looking at",
        ),
        server=ServerOptions(bind=(BIND,), scheme="http"),
        database=DatabaseOptions(url=f"sqlite:{folder / 'demo.db'}"),
        media=MediaOptions(url=f"file:{folder / 'media'}"),
        federation=FederationOptions(allow_private_addresses=True, allow_http=True),
        registration=RegistrationOptions(mode="approval"),
    )


def _create_user(tx: Writer, name: str, pair: keys.KeyPair, hashed: str, role: str) -> Account:
    display_name, bio, _avatar = PEOPLE[name]
    user = registration.create_user(
        tx, name=name, email=f"{name}@example.org", password_hash=hashed, pair=pair, role=role
    )
    account = accounts.get(tx, user.account_id)
    return profiles.update_profile(
        tx,
        account,
        display_name=display_name,
        bio=bio,
        fields=[("Camera", "Rolleiflex 3.5F"), ("Website", "https://alice.example")]
        if name == "alice"
        else [],
        is_locked=name in ("otto", "alice"),
        is_discoverable=True,
        is_indexable=False,
    )


def _follow_each_other(tx: Writer, people: dict[str, Account]) -> None:
    for follower in people.values():
        for followed in people.values():
            if follower.id != followed.id and (follower.name, followed.name) != ("ines", "alice"):
                follow = follows.follow(tx, follower, followed)
                if not follow.is_accepted:
                    follows.accept(tx, follow)
    follows.follow(tx, people["ines"], people["alice"])
    remote_account = remote_accounts.upsert(
        tx,
        RemoteActor(
            uri="https://lake.example/users/juno",
            name="juno",
            domain="lake.example",
            inbox="https://lake.example/inbox",
            display_name="Juno Falk",
            bio='<p>Lakes, slowly. <a href="https://lake.example/tags/water">#water</a></p>',
        ),
    )
    blocks.mute(tx, people["alice"], remote_account)


def _comment(tx: Writer, people: dict[str, Account], parent_id: int, comments: list) -> None:  # type: ignore[type-arg]
    for name, caption, replies in comments:
        comment = publishing.publish(tx, people[name], Draft(caption=caption, parent_id=parent_id))
        if name != "alice":
            likes.like(tx, people["alice"], comment)
        _comment(tx, people, comment.id, replies)


def _interact(tx: Writer, people: dict[str, Account], posts: list[Post]) -> None:
    random_ = random.Random(7)
    for post in posts:
        for account in people.values():
            if account.id != post.account_id and random_.random() < 0.7:
                likes.like(tx, account, post)
    _comment(tx, people, posts[-1].id, COMMENTS)
    boosts.boost(tx, people["mei"], posts[8])
    boosts.boost(tx, people["zara"], posts[-1])
    for n in (2, 4, 7, 12):
        bookmarks.add(tx, people["alice"], posts[n])


def _sign_ups(tx: Writer, pairs: list[keys.KeyPair], hashed: str) -> None:
    for name, reason, pair in zip(
        ("noor", "felix"),
        (
            "I met Otto at the darkroom and would like to show my lake pictures.",
            "Moving here from a larger place; I post about once a week.",
        ),
        pairs,
        strict=True,
    ):
        registration.sign_up(
            tx,
            mode="approval",
            name=name,
            email=f"{name}@example.org",
            password_hash=hashed,
            pair=pair,
            reason=reason,
        )


@contextlib.contextmanager
def _hours_ago(hours: float) -> Iterator[None]:
    """Set back the clock of times and ids, so that posts look as if the node had been used for a while."""
    at = now_ms() - round(hours * 3_600_000)
    present = ids.time, ids._last
    ids.time, ids._last = SimpleNamespace(time_ns=lambda: at * 1_000_000), 0
    try:
        yield
    finally:
        ids.time, ids._last = present


async def seed(node: Node, photo: Callable[[str], bytes] = scenes.jpeg) -> dict[str, Account]:
    """Create the accounts, posts and interactions. `photo(name)` returns the picture of a scene."""
    hashed = await passwords.hash(PASSWORD)
    pairs = [keys.generate() for _ in range(len(PEOPLE) + 2)]
    people = {}
    for (name, (_display_name, _bio, avatar)), pair in zip(PEOPLE.items(), pairs, strict=False):
        account = await node.db.write(
            _create_user, name, pair, hashed, "admin" if name == "alice" else "user"
        )
        await avatars.upload(node, account, photo(avatar), alt=scenes.SCENES[avatar][1])
        people[name] = account
    alt = scenes.SCENES["peaks"][1]
    await avatars.upload(node, people["alice"], photo("peaks"), alt=alt, kind=avatars.HEADER)
    await node.db.write(_follow_each_other, people)
    posts = []
    for n, (name, shots, caption) in enumerate(POSTS):
        photo_ids = [
            (await photos.upload(node, people[name], photo(shot), alt=scenes.SCENES[shot][1])).id
            for shot in shots
        ]
        draft = Draft(
            caption=caption,
            photo_ids=photo_ids,
            warning="Bright flashing lights" if shots == ["fair"] else "",
            shared_metadata=SharedMetadata(frozenset({"camera", "lens", "settings"}), "CC BY-SA", "Lofoten")
            if len(shots) > 1
            else None,
            policy=InteractionPolicy(quote=EVERYONE) if name == "bob" else InteractionPolicy(),
        )
        with _hours_ago((len(POSTS) - n) ** 1.8 / 2):
            posts.append(await node.db.write(publishing.publish, people[name], draft))
    with _hours_ago(0.3):
        await node.db.write(_interact, people, posts)
    await node.db.write(_sign_ups, pairs[-2:], hashed)
    await wiring.run_due_jobs(node)
    return {name: await node.db.read(accounts.get, account.id) for name, account in people.items()}


async def open_demo(folder: Path) -> Node:
    """Open the demo node of this folder; seed it if that was never finished."""
    finished = folder / "finished"
    if not finished.exists():
        shutil.rmtree(folder / "media", ignore_errors=True)
        for file in folder.glob("demo.db*"):
            file.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        print("Creating demo accounts and photos. This takes half a minute, once.", flush=True)
    node = await wiring.open_node(options(folder))
    if not finished.exists():
        try:
            await seed(node)
        except BaseException:
            await node.close()
            raise
        finished.touch()
    return node


async def main(folder: Path) -> None:
    node = await open_demo(folder)
    stopping, ready = asyncio.Event(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    printing = asyncio.create_task(_print_address(ready))
    try:
        await serve.serve(node, stopping, ready=ready)
    finally:
        printing.cancel()
        await node.close()


async def _print_address(ready: asyncio.Event) -> None:
    await ready.wait()
    others = ", ".join(name for name in PEOPLE if name != "alice")
    print(f"http://{BIND}  Sign in as alice, who is an admin, with the password: {PASSWORD}")
    print(f"{' ' * len(BIND)}         The same password is that of {others}.", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1] if len(sys.argv) > 1 else "data/demo")))
    except OSError as error:
        sys.exit(f"The demo node cannot start: {error.strerror or error}: {error.filename}")
    except (BadConfig, DatabaseInUse) as error:
        sys.exit(f"The demo node cannot start: {error}")
