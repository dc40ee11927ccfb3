"""What a device answers is believed only from this site, for this purpose, verified, and signed by the right key."""

from __future__ import annotations

import dataclasses
import json

import pytest

from node.auth.passkeys import ceremonies, passkeys
from node.auth.passkeys.passkeys import Passkey
from node.errors import Invalid
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import Device, with_passkey


async def _options(node: Node, account: Account) -> str:
    handle = await node.db.write(passkeys.handle, account)
    existing = await node.db.read(passkeys.by_account, account.id)
    return ceremonies.options_to_register(node.site, account, handle, existing, "Silver & Light")


async def _kept(node: Node, account: Account) -> Passkey:
    return (await node.db.read(passkeys.by_account, account.id))[0]


async def test_the_options_of_a_new_passkey_ask_for_one_that_is_a_whole_sign_in(
    node: Node, alice: Account
) -> None:
    await with_passkey(node, alice)
    asked = json.loads(await _options(node, alice))

    assert asked["rp"] == {"id": "tintype.test", "name": "Silver & Light"}
    assert asked["user"]["name"] == "alice"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    [known] = asked["excludeCredentials"]
    assert known["id"] == (await _kept(node, alice)).credential
    assert sorted(known["transports"]) == ["hybrid", "internal"]


async def test_a_new_passkey_is_refused_from_another_site_unverified_or_for_somebody_else(
    node: Node, alice: Account, bob: Account
) -> None:
    options = await _options(node, alice)
    good = Device(node.site.base_url)
    ceremonies.verify_new(node.site, alice, good.make(options))
    for device, account in (
        (Device("https://evil.example"), alice),
        (Device(node.site.base_url, verifies=False), alice),
        (good, bob),
    ):
        with pytest.raises(Invalid):
            ceremonies.verify_new(node.site, account, device.make(options))


async def test_a_use_is_refused_for_another_purpose_site_or_key(node: Node, alice: Account) -> None:
    device = await with_passkey(node, alice)
    kept = await _kept(node, alice)
    options = ceremonies.options_to_use(node.site, "sign in")
    assert ceremonies.verify_use(node.site, "sign in", device.use(options), kept).passkey == kept

    other = Device(node.site.base_url, id=device.id, handle=device.handle)
    for signer, purpose in (
        (device, "prove 1"),
        (other, "sign in"),
        (dataclasses.replace(device, origin="https://evil.example"), "sign in"),
        (dataclasses.replace(device, verifies=False), "sign in"),
    ):
        with pytest.raises(Invalid):
            ceremonies.verify_use(node.site, purpose, signer.use(options), kept)


@pytest.mark.parametrize("is_synced", [True, False])
async def test_a_count_that_goes_back_is_refused_unless_copies_are_promised(
    node: Node, alice: Account, is_synced: bool
) -> None:
    device = await with_passkey(node, alice, is_synced=is_synced, count=5)
    kept = await _kept(node, alice)
    device.count = 6
    options = ceremonies.options_to_use(node.site, "sign in")
    assert ceremonies.verify_use(node.site, "sign in", device.use(options), kept).sign_count == 6
    for count in (5, 0):
        device.count = count
        if is_synced:
            ceremonies.verify_use(node.site, "sign in", device.use(options), kept)
        else:
            with pytest.raises(Invalid):
                ceremonies.verify_use(node.site, "sign in", device.use(options), kept)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"id": 1, "response": {"clientDataJSON": 5}}',
        "9" * 20_000,
        '{"response": null}',
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        ceremonies.read_answer(text)


def test_passkeys_are_bound_to_the_host_without_its_port(node: Node) -> None:
    assert ceremonies.rp_id(dataclasses.replace(node.site, domain="localhost:8080")) == "localhost"
    assert ceremonies.rp_id(node.site) == "tintype.test"
