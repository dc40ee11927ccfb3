"""What a browser is told to ask a device, and verifying what the device answers (WebAuthn level 3). Owns no table.

Every passkey has to be found without a name (a resident key) and to ask its owner for a finger, face or PIN: so each
is a whole sign-in by itself. `browser` and `device` answers are untrusted; whatever is wrong with them is Invalid.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from node.auth.passkeys import challenges
from node.auth.passkeys.passkeys import NewPasskey, Passkey
from node.database import Site, Writer
from node.errors import Invalid
from node.models.account import Account

log = logging.getLogger("tintype.passkeys")

MAX_ANSWER_LENGTH = 16_384
NOT_ACCEPTED = "This passkey was not accepted. Please try again."
_TRANSPORTS = {transport.value for transport in AuthenticatorTransport}


@dataclass(frozen=True, slots=True)
class DeviceAnswer:
    """What a browser sent, parsed: which passkey it is about, whose, and which challenge was signed."""

    raw: dict[str, Any]
    credential: str
    handle: str
    challenge: bytes


@dataclass(frozen=True, slots=True)
class Use:
    """A verified use of a passkey."""

    passkey: Passkey
    sign_count: int


def rp_id(site: Site) -> str:
    """Returns the host that passkeys are bound to."""
    return site.domain.rpartition(":")[0] if ":" in site.domain else site.domain


def options_to_register(
    site: Site,
    account: Account,
    handle: str,
    existing: Sequence[Passkey],
    title: str,
    *,
    is_conditional: bool = False,
) -> str:
    """Returns the options of `navigator.credentials.create` as JSON.

    `is_conditional`: for a request after a password that the browser filled in, which it may grant without asking.
    """
    options = webauthn.generate_registration_options(
        rp_id=rp_id(site),
        rp_name=title,
        user_name=account.name,
        user_display_name=account.display_name or account.name,
        user_id=base64url_to_bytes(handle),
        challenge=challenges.make(site, _register_purpose(account, is_conditional=is_conditional)),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=(
                UserVerificationRequirement.PREFERRED
                if is_conditional
                else UserVerificationRequirement.REQUIRED
            ),
        ),
        exclude_credentials=_descriptors(existing),
    )
    return webauthn.options_to_json(options)


def _register_purpose(account: Account, *, is_conditional: bool) -> str:
    return f"register {account.id}{' conditional' if is_conditional else ''}"


def options_to_use(site: Site, purpose: str, allowed: Sequence[Passkey] = ()) -> str:
    """Returns the options of `navigator.credentials.get` as JSON: for any passkey, or one of those that are allowed."""
    options = webauthn.generate_authentication_options(
        rp_id=rp_id(site),
        challenge=challenges.make(site, purpose),
        allow_credentials=_descriptors(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def _descriptors(passkeys: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(one.credential),
            transports=[
                AuthenticatorTransport(name) for name in one.transports.split() if name in _TRANSPORTS
            ],
        )
        for one in passkeys
    ]


def read_answer(text: str) -> DeviceAnswer:
    """Parses what a browser sent. Raises Invalid."""
    if len(text) > MAX_ANSWER_LENGTH:
        raise Invalid(NOT_ACCEPTED, detail="too long")
    try:
        raw = json.loads(text)
        client_data = parse_client_data_json(base64url_to_bytes(raw["response"]["clientDataJSON"]))
        return DeviceAnswer(
            raw, str(raw["id"]), str(raw["response"].get("userHandle") or ""), client_data.challenge
        )
    except Exception as error:  # whatever breaks the parsers
        raise Invalid(NOT_ACCEPTED, detail=f"unreadable answer: {error}") from error


def use_challenge(tx: Writer, answer: DeviceAnswer) -> None:
    """Raises Invalid for an answer that was sent before."""
    challenges.use(tx, answer.challenge)


def verify_new(
    site: Site, account: Account, answer: DeviceAnswer, *, is_conditional: bool = False
) -> NewPasskey:
    """Verifies a passkey that a device has made for an account. Raises Invalid.

    A conditional one may be made without asking anybody (WebAuthn level 3, 5.1.3); each use of it asks.
    """
    challenges.check(site, _register_purpose(account, is_conditional=is_conditional), answer.challenge)
    try:
        verified = webauthn.verify_registration_response(
            credential=answer.raw,
            expected_challenge=answer.challenge,
            expected_rp_id=rp_id(site),
            expected_origin=site.base_url,
            require_user_presence=not is_conditional,
            require_user_verification=not is_conditional,
        )
        named = answer.raw["response"].get("transports") or []
    except Exception as error:  # whatever breaks the parsers
        raise Invalid(NOT_ACCEPTED, detail=f"{type(error).__name__}: {error}") from error
    return NewPasskey(
        bytes_to_base64url(verified.credential_id),
        verified.credential_public_key,
        verified.sign_count,
        verified.aaguid,
        " ".join(sorted(_TRANSPORTS.intersection(filter(lambda one: isinstance(one, str), named)))),
        verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
    )


def verify_use(site: Site, purpose: str, answer: DeviceAnswer, passkey: Passkey) -> Use:
    """Verifies that a device has used this passkey for this purpose. Raises Invalid.

    A count of uses that goes back means that a copy of the passkey is in use: refused, unless copies are what its
    maker promises.
    """
    challenges.check(site, purpose, answer.challenge)
    try:
        verified = webauthn.verify_authentication_response(
            credential=answer.raw,
            expected_challenge=answer.challenge,
            expected_rp_id=rp_id(site),
            expected_origin=site.base_url,
            credential_public_key=passkey.public_key_bytes,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # whatever breaks the parsers
        raise Invalid(NOT_ACCEPTED, detail=f"{type(error).__name__}: {error}") from error
    if 0 < verified.new_sign_count <= passkey.sign_count or (
        passkey.sign_count and not verified.new_sign_count
    ):
        log.warning("passkey %d was used %d times before", passkey.id, passkey.sign_count)
        if not passkey.is_synced:
            raise Invalid(NOT_ACCEPTED, detail="its count of uses went back")
    return Use(passkey, verified.new_sign_count)
