from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from node.accounts import keys
from node.config import Config, NodeOptions
from node.database import Database, Writer, open_database
from node.errors import NotFound
from node.ids import now_ms
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import PublicKey
from node.node import Node
from tests.support import people


async def test_our_keys_open_again_and_belong_together(db: Database, alice: Account) -> None:
    key_id, pem = await db.read(keys.private_pem, alice)
    small_id, raw = await db.read(keys.private_ed25519, alice)
    public = {key.id: key.public for key in await db.read(keys.of, alice)}

    private = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    assert private.key_size == 2048
    assert key_id == alice.uri + "#main-key"
    assert (
        public[key_id]
        == private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    assert small_id == alice.uri + "#ed25519-key"
    small = ed25519.Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    assert public[small_id] == keys.multibase(b"\xed\x01" + small)


def test_multibase_is_base58btc() -> None:
    assert keys.multibase(b"Hello World!") == "z2NEpo7TZRRrLZSi2U"
    assert keys.multibase(b"\x00\x00(\x7f\xb4\xcd") == "z11233QC4"


async def test_private_keys_are_sealed_in_the_table(db: Database, alice: Account) -> None:
    sealed = await db.read(
        lambda tx: [
            row["private"] for row in tx.all("SELECT private FROM keys WHERE account_id = :id", id=alice.id)
        ]
    )

    assert len(sealed) == 2
    assert not any("PRIVATE KEY" in text for text in sealed)


async def test_another_secret_opens_nothing(node: Node, alice: Account) -> None:
    site = dataclasses.replace(node.site, secret=b"another")
    other = await open_database(node.config.database.url, site, reads_only=True)
    try:
        with pytest.raises(NotFound, match="secret"):
            await other.read(keys.private_pem, alice)
    finally:
        await other.close()


async def test_nobody_elsewhere_has_a_private_key_here(db: Database) -> None:
    rita = await db.write(people.remote)

    with pytest.raises(NotFound):
        await db.read(keys.private_pem, rita)


async def test_A12_a_key_id_is_never_bound_to_a_second_actor(db: Database) -> None:
    rita = await db.write(people.remote)
    stolen = PublicKey(rita.uri + "#main-key", "rsa", "MALLORY'S")

    mallory = await db.write(people.remote, "mallory", keys=[stolen])

    kept = await db.read(keys.by_key_id, stolen.id)
    assert kept is not None
    assert (kept.account_id, kept.public) == (rita.id, people.REMOTE_KEY)
    assert await db.read(keys.of, mallory) == []


@pytest.mark.parametrize(
    "key_id",
    [
        "https://evil.example/users/rita#main-key",
        "http://far.example/users/rita#k",
        "https://far.example:8443/k",
        "x",
        "https://[bad",
    ],
)
async def test_a_key_lives_on_its_actors_own_origin(db: Database, key_id: str) -> None:
    rita = await db.write(people.remote, keys=[PublicKey(key_id, "rsa", "KEY")])

    assert await db.read(keys.of, rita) == []
    assert await db.read(keys.by_key_id, key_id) is None


async def test_nobody_replaces_a_key_of_ours(db: Database, alice: Account) -> None:
    def attack(tx: Writer) -> None:
        keys.remember(tx, alice, [PublicKey(alice.uri + "#main-key", "rsa", "FALSE")], now_ms())

    await db.write(attack)

    assert (await db.read(keys.private_pem, alice))[0] == alice.uri + "#main-key"
    assert all(key.public != "FALSE" for key in await db.read(keys.of, alice))


async def test_after_rotation_the_old_key_is_gone(db: Database) -> None:
    rita = await db.write(people.remote)
    new = PublicKey(rita.uri + "#key-2", "rsa", "NEW")

    await db.write(remote_accounts.receive, people.actor(keys=[new]))

    assert [key.id for key in await db.read(keys.of, rita)] == [new.id]


async def test_an_actor_cannot_fill_the_table(db: Database) -> None:
    many = [PublicKey(f"https://far.example/users/rita#{n}", "rsa", "K") for n in range(500)]

    rita = await db.write(people.remote, keys=many)

    assert len(await db.read(keys.of, rita)) == keys.MOST_KEYS


def test_the_secret_is_not_shown() -> None:
    assert "hush" not in repr(Config(node=NodeOptions(secret="hush")))
