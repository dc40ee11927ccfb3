"""Codes of authenticator apps (TOTP, RFC 6238), asked for after a password. Owns `second_steps`.

A row says that the account asks for a second step. Its seed is sealed; a row without one asks for a passkey alone.
"""

from __future__ import annotations

import hmac

import pyotp

from node.auth.second_step import recovery_codes
from node.database import Reader, Site, Writer
from node.errors import Invalid
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account
from node.sealing import seal, unseal

STEP_SECONDS = 30
SEALED_AS = "second step"
SET_UP_LIFETIME_MS = 30 * 60 * 1000
WRONG_CODE = "That code is not right. Please type the one that the app shows now."
EXPIRED = "That took too long. Please scan the new code."


def is_on(tx: Reader, account_id: int) -> bool:
    """Returns whether an account asks for a second step after its password."""
    return _row(tx, account_id) is not None


def has_app(tx: Reader, account_id: int) -> bool:
    """Returns whether an account has an authenticator app."""
    row = _row(tx, account_id)
    return row is not None and bool(row["seed"])


def version(tx: Reader, account_id: int) -> str:
    """Returns a text that changes when the second step is set up anew or turned off."""
    row = _row(tx, account_id)
    return f"{row['created_at']}" if row else ""


def _row(tx: Reader, account_id: int) -> dict[str, object] | None:
    row = tx.one("SELECT seed, last_step, created_at FROM second_steps WHERE account_id = :id", id=account_id)
    return dict(row) if row else None


def offer(site: Site, account: Account) -> str:
    """Makes the seed of an app that is to be set up: sealed, so that the page can hold it until the first code comes."""
    begun = f"{now_ms()} {pyotp.random_base32()}"
    return seal(site, SEALED_AS, f"offer {account.id}", begun.encode())


def offered_seed(site: Site, account: Account, offered: str) -> str:
    """Returns the seed of an offer. Raises Invalid for one that is too old, or that another account got."""
    try:
        begun, _, seed = unseal(site, SEALED_AS, f"offer {account.id}", offered).decode().partition(" ")
    except Exception as error:
        raise Invalid(EXPIRED) from error
    if now_ms() - int(begun) > SET_UP_LIFETIME_MS:
        raise Invalid(EXPIRED)
    return seed


def app_address(site: Site, account: Account, seed: str, title: str) -> str:
    """Returns the `otpauth:` address that a QR code holds and an app reads."""
    return pyotp.TOTP(seed).provisioning_uri(name=f"{account.name}@{site.handle_domain}", issuer_name=title)


def set_up(tx: Writer, account: Account, offered: str, code: str) -> list[str]:
    """Turns the second step on with an app, whose first code this is; returns new recovery codes.

    An app that was set up before is replaced. Raises Invalid, field 'code' for a wrong one.
    """
    seed = offered_seed(tx.site, account, offered)
    step = _step_of(seed, code)
    if step is None:
        raise Invalid(WRONG_CODE, field="code")
    _save(tx, account, seal(tx.site, SEALED_AS, str(account.id), seed.encode()), step)
    return recovery_codes.replace(tx, account)


def turn_on_with_passkeys(tx: Writer, account: Account) -> list[str]:
    """Turns the second step on without an app: passkeys are asked for. Returns new recovery codes."""
    _save(tx, account, "", 0)
    return recovery_codes.replace(tx, account)


def _save(tx: Writer, account: Account, sealed: str, step: int) -> None:
    tx.run(
        """INSERT INTO second_steps (account_id, seed, last_step, created_at)
           VALUES (:account, :seed, :step, :now)
           ON CONFLICT (account_id) DO UPDATE
           SET seed = excluded.seed, last_step = excluded.last_step, created_at = excluded.created_at""",
        account=account.id,
        seed=sealed,
        step=step,
        now=now_ms(),
    )


def use_code(tx: Writer, account_id: int, code: str) -> bool:
    """Returns whether this is a code of the app, of this step of 30 seconds or one beside it, and newer than the last.

    A code counts once: who reads it over a shoulder comes too late.
    """
    row = _row(tx, account_id)
    if row is None or not row["seed"]:
        return False
    seed = unseal(tx.site, SEALED_AS, str(account_id), str(row["seed"])).decode()
    step = _step_of(seed, code)
    if step is None:
        return False
    sql = "UPDATE second_steps SET last_step = :step WHERE account_id = :id AND last_step < :step"
    return tx.run(sql, step=step, id=account_id) > 0


def _step_of(seed: str, code: str) -> int | None:
    """Returns the step that a code belongs to, the newest of those that are accepted; None for a wrong one."""
    digits = "".join(filter(str.isdigit, code)).encode()
    now = now_ms() // 1000 // STEP_SECONDS
    totp = pyotp.TOTP(seed)
    right = [
        step
        for step in (now + 1, now, now - 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits)
    ]
    return right[0] if right else None


def turn_off(tx: Writer, account: Account) -> None:
    """Turns the second step off: forgets the app and the recovery codes."""
    delete_by_account(tx, account)
    recovery_codes.delete_by_account(tx, account)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the second step of an account."""
    tx.run("DELETE FROM second_steps WHERE account_id = :id", id=account.id)
