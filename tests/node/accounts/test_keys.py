"""Keys: encrypted private ones of local accounts, and public ones that nobody can take over."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from node.accounts import keys
from node.config import Config, NodeOptions
from node.database import Database, Writer, open_database
from node.errors import NotFound
from node.ids import now_ms
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import ActorKey
from node.node import Node
from tests.support import people


async def test_local_keys_are_decrypted_and_match_their_public_keys(db: Database, alice: Account) -> None:
    key_id, pem = await db.read(keys.private_pem, alice)
    public = {key.id: key.public for key in await db.read(keys.by_account, alice)}

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


async def test_an_ed25519_key_is_stored_so_that_the_secret_and_its_id_open_it(
    node: Node, alice: Account
) -> None:
    row = await node.db.read(
        lambda tx: tx.one(
            "SELECT id, public, private FROM keys WHERE account_id = :id AND algorithm = 'ed25519'",
            id=alice.id,
        )
    )
    assert row is not None
    stored = base64.b64decode(row["private"])

    raw = AESGCM(node.site.subkey("keys")).decrypt(stored[:12], stored[12:], row["id"].encode())

    assert row["id"] == alice.uri + "#ed25519-key"
    ed25519_public = ed25519.Ed25519PrivateKey.from_private_bytes(raw).public_key().public_bytes_raw()
    assert row["public"] == keys.encode_multibase(b"\xed\x01" + ed25519_public)


def test_multibase_is_base58btc() -> None:
    assert keys.encode_multibase(b"Hello World!") == "z2NEpo7TZRRrLZSi2U"
    assert keys.encode_multibase(b"\x00\x00(\x7f\xb4\xcd") == "z11233QC4"


async def test_private_keys_are_encrypted_in_the_table(db: Database, alice: Account) -> None:
    encrypted = await db.read(
        lambda tx: [
            row["private"] for row in tx.all("SELECT private FROM keys WHERE account_id = :id", id=alice.id)
        ]
    )

    assert len(encrypted) == 2
    assert not any("PRIVATE KEY" in text for text in encrypted)


async def test_another_secret_decrypts_no_key(node: Node, alice: Account) -> None:
    site = dataclasses.replace(node.site, secret=b"another")
    other = await open_database(node.config.database.url, site, read_only=True)
    try:
        with pytest.raises(NotFound, match="secret"):
            await other.read(keys.private_pem, alice)
    finally:
        await other.close()


async def test_a_remote_account_has_no_private_key(db: Database) -> None:
    rita = await db.write(people.remote)

    with pytest.raises(NotFound):
        await db.read(keys.private_pem, rita)


async def test_A12_a_key_id_is_never_bound_to_a_second_actor(db: Database) -> None:
    rita = await db.write(people.remote)
    stolen = ActorKey(rita.uri + "#main-key", "rsa", "MALLORY'S")

    mallory = await db.write(people.remote, "mallory", keys=[stolen])

    kept = await db.read(keys.by_id, stolen.id)
    assert kept is not None
    assert (kept.account_id, kept.public) == (rita.id, people.REMOTE_KEY)
    assert await db.read(keys.by_account, mallory) == []


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
async def test_a_key_of_another_origin_than_its_actor_is_ignored(db: Database, key_id: str) -> None:
    rita = await db.write(people.remote, keys=[ActorKey(key_id, "rsa", "KEY")])

    assert await db.read(keys.by_account, rita) == []
    assert await db.read(keys.by_id, key_id) is None


async def test_a_remote_document_cannot_replace_a_local_key(db: Database, alice: Account) -> None:
    def attack(tx: Writer) -> None:
        keys.save_public(tx, alice, [ActorKey(alice.uri + "#main-key", "rsa", "FALSE")], now_ms())

    await db.write(attack)

    assert (await db.read(keys.private_pem, alice))[0] == alice.uri + "#main-key"
    assert all(key.public != "FALSE" for key in await db.read(keys.by_account, alice))


async def test_a_key_that_is_no_longer_listed_is_deleted(db: Database) -> None:
    rita = await db.write(people.remote)
    new = ActorKey(rita.uri + "#key-2", "rsa", "NEW")

    await db.write(remote_accounts.upsert, people.actor(keys=[new]))

    assert [key.id for key in await db.read(keys.by_account, rita)] == [new.id]


async def test_the_number_of_keys_of_an_actor_is_bounded(db: Database) -> None:
    many = [ActorKey(f"https://far.example/users/rita#{n}", "rsa", "K") for n in range(500)]

    rita = await db.write(people.remote, keys=many)

    assert len(await db.read(keys.by_account, rita)) == keys.MAX_KEYS


def test_the_secret_is_not_in_the_repr_of_the_options() -> None:
    assert "hush" not in repr(Config(node=NodeOptions(secret="hush")))


async def test_rotated_keys_keep_their_ids_and_the_old_one_for_a_week(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    before, versions = (
        await db.read(keys.private_pem, alice),
        await db.read(keys.versions_by_account, [alice.id]),
    )
    assert await db.read(keys.previous_private_pem, alice) is None

    await db.write(keys.rotate, alice, pairs["bob"])

    assert await db.read(keys.private_pem, alice) == (before[0], pairs["bob"].private_pem)
    assert await db.read(keys.previous_private_pem, alice) == before
    assert (await db.read(keys.versions_by_account, [alice.id]))[alice.id] > versions[alice.id]

    assert await db.write(keys.clean_up, now_ms()) == 0
    assert await db.write(keys.clean_up, now_ms() + keys.REPLACED_KEY_RETENTION_MS + 1000) == 2
    assert await db.read(keys.previous_private_pem, alice) is None


async def test_only_accounts_with_private_keys_have_a_version(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)

    assert set(await db.read(keys.versions_by_account, [alice.id, rita.id])) == {alice.id}
