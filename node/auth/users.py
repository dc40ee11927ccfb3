"""Local accounts that can sign in: e-mail, password, role, preferences. Owns `users`.

A user whose sign-up waits for approval is 'pending', and their account is hidden meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.accounts import accounts
from node.attachments.photo_metadata import LICENCES
from node.auth import sign_ups
from node.auth.addresses import normalize_email, without_own_domain
from node.database import Reader, Writer, build, columns, core
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.ids import now_ms
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models import deletion_hooks
from node.models.account import Account
from node.models.audience import VISIBILITIES
from node.moderation import audit_log
from node.notifications import notifications
from node.paging import Page

ROLES = ("user", "moderator", "admin")
STATES = ("active", "pending", "disabled")
THEMES = ("system", "light", "dark")
MAX_SAME_EMAIL = 4
SEEN_UPDATE_INTERVAL_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class User:
    """`role` is user, moderator or admin; `state` is active, pending or disabled.

    `asks_descriptions`: whether a page asks before photos without a description are posted. `new_email` takes the place
    of `email` once it is confirmed; `mail_problem` is why the last mail was refused, or ''.
    """

    account_id: int
    email: str
    role: str
    state: str
    reason: str
    theme: str
    language: str
    time_zone: str
    default_visibility: str
    default_licence: str
    asks_descriptions: bool
    invited_by: int | None
    created_at: int
    seen_at: int | None
    notifications_read_id: int
    email_confirmed_at: int | None
    new_email: str
    mail_problem: str

    @property
    def is_staff(self) -> bool:
        return self.state == "active" and self.role in ("moderator", "admin")

    @property
    def is_admin(self) -> bool:
        return self.state == "active" and self.role == "admin"


@dataclass(frozen=True, slots=True)
class UserWithAccount:
    """A user with their account, as the admin pages list them."""

    account: Account
    user: User


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user with the hash that signing in verifies."""

    account: Account
    user: User
    password_hash: str

    @property
    def account_id(self) -> int:
        return self.account.id


def create(
    tx: Writer,
    account: Account,
    *,
    email: str,
    password_hash: str,
    role: str = "user",
    state: str = "active",
    reason: str = "",
    language: str = "",
    invited_by: int | None = None,
) -> User:
    """Lets a local account sign in. Raises Conflict for one that already can.

    Several users may give one e-mail address: it is not verified, so that it belongs to nobody, and a refusal would tell
    strangers who has an account here.
    """
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}.", field="role")
    row = tx.one(
        f"""INSERT INTO users (account_id, email, password_hash, role, state, reason, language, invited_by,
                created_at)
            VALUES (:account, :email, :password_hash, :role, :state, :reason, :language, :invited_by, :now)
            ON CONFLICT DO NOTHING RETURNING {columns(User)}""",  # noqa: S608
        account=account.id,
        email=normalize_email(email),
        password_hash=password_hash,
        role=role,
        state=state,
        reason=reason.strip()[:1000],
        language=language[:20],
        invited_by=invited_by,
        now=now_ms(),
    )
    if row is None:
        raise Conflict("This account can sign in already.")
    return build(User, row)


def by_account(tx: Reader, account: Account) -> User | None:
    row = tx.one(f"SELECT {columns(User)} FROM users WHERE account_id = :id", id=account.id)  # noqa: S608
    return build(User, row) if row else None


def by_account_id(tx: Reader, account_id: int) -> Credentials | None:
    """Returns the user of an account that still exists."""
    row = tx.one(
        f"SELECT {columns(User)}, password_hash FROM users WHERE account_id = :id",  # noqa: S608
        id=account_id,
    )
    account = accounts.by_id(tx, account_id)
    return Credentials(account, build(User, row), row["password_hash"]) if row and account else None


def by_login(tx: Reader, login: str) -> Credentials | None:
    """Finds a user by name, own handle or e-mail address, whatever the case. Of several, the oldest account."""
    return next(iter(all_by_login(tx, login)), None)


def all_by_login(tx: Reader, login: str) -> list[Credentials]:
    """Finds the users with a name, own handle or e-mail address: the oldest `MAX_SAME_EMAIL` with that address."""
    login = without_own_domain(tx.site, login)
    if "@" in login:
        condition = "lower(u.email) = lower(:login)"
    else:
        condition = (
            "u.account_id = (SELECT a.id FROM accounts a WHERE a.is_local AND lower(a.name) = lower(:login))"
        )
    rows = tx.all(
        f"""SELECT {columns(User, "u")}, u.password_hash FROM users u
            WHERE {condition} ORDER BY u.account_id LIMIT :most""",  # noqa: S608
        login=login,
        most=MAX_SAME_EMAIL,
    )
    people = accounts.by_ids(tx, [row["account_id"] for row in rows])
    return [Credentials(people[row["account_id"]], build(User, row), row["password_hash"]) for row in rows]


def lock(tx: Writer, account: Account) -> User | None:
    """Returns a user as `by_account` does; other units that lock it wait for the end of this one."""
    tx.run("UPDATE users SET role = role WHERE account_id = :id", id=account.id)
    return by_account(tx, account)


def password_hash(tx: Reader, account_id: int) -> str | None:
    hashed: str | None = tx.value("SELECT password_hash FROM users WHERE account_id = :id", id=account_id)
    return hashed


def set_password(tx: Writer, account_id: int, hashed: str) -> None:
    """Replaces the password hash. Raises NotFound for an account that cannot sign in."""
    if not tx.run(
        "UPDATE users SET password_hash = :hash WHERE account_id = :id", hash=hashed, id=account_id
    ):
        raise NotFound("There is no account by that name here.")


def set_address(tx: Writer, account: Account, address: str, *, is_confirmed: bool) -> None:
    """Stores the e-mail address of a user: confirmed, or one of which nobody knows whose it is."""
    tx.run(
        """UPDATE users SET email = :address, email_confirmed_at = :at, new_email = '', mail_problem = ''
           WHERE account_id = :id""",
        address=address,
        at=now_ms() if is_confirmed else None,
        id=account.id,
    )


def set_new_address(tx: Writer, account: Account, address: str) -> None:
    """Stores the address that takes the place of the present one once it is confirmed; '' for none."""
    tx.run("UPDATE users SET new_email = :address WHERE account_id = :id", address=address, id=account.id)


def record_mail_problem(tx: Writer, address: str, problem: str) -> None:
    """Stores why the mail server refused to send to an address; '' once it does."""
    sql = "UPDATE users SET mail_problem = :problem WHERE lower(email) = lower(:address)"
    tx.run(sql, problem=problem, address=address)


def set_preferences(
    tx: Writer,
    account: Account,
    *,
    theme: str | None = None,
    language: str | None = None,
    default_visibility: str | None = None,
    default_licence: str | None = None,
    asks_descriptions: bool | None = None,
    time_zone: str | None = None,
) -> None:
    """Changes preferences; None leaves one as it is. Raises Invalid for an unknown theme, visibility or licence."""
    known = ((theme, THEMES), (default_visibility, VISIBILITIES), (default_licence, ("", *LICENCES)))
    for value, choices in known:
        if value is not None and value not in choices:
            raise Invalid(f"Please choose one of {', '.join(choices)}.", detail=value)
    tx.run(
        """UPDATE users SET theme = COALESCE(:theme, theme), language = COALESCE(:language, language),
                  default_visibility = COALESCE(:visibility, default_visibility),
                  default_licence = COALESCE(:licence, default_licence),
                  asks_descriptions = COALESCE(:asks, asks_descriptions),
                  time_zone = COALESCE(:time_zone, time_zone)
           WHERE account_id = :id""",
        theme=theme,
        language=None if language is None else language[:20],
        visibility=default_visibility,
        licence=default_licence,
        asks=asks_descriptions,
        time_zone=None if time_zone is None else time_zone[:64],
        id=account.id,
    )


def mark_seen(tx: Writer, account_id: int) -> None:
    tx.run("UPDATE users SET seen_at = :now WHERE account_id = :id", now=now_ms(), id=account_id)


def mark_notifications_read(tx: Writer, account_id: int, up_to: int) -> bool:
    """Stores the id of the newest notification that was read; it never moves back. Returns whether it moved."""
    sql = """UPDATE users SET notifications_read_id = :id
             WHERE account_id = :account AND notifications_read_id < :id"""
    return bool(tx.run(sql, id=up_to, account=account_id))


def list_users(
    tx: Reader, page: Page, *, state: str | None = None, query: str = "", role: str | None = None
) -> list[UserWithAccount]:
    """Returns a page of users, newest first, filtered by state, role and a part of the name or e-mail address."""
    rows = tx.all(
        f"""SELECT u.account_id FROM users u JOIN accounts a ON a.id = u.account_id
            WHERE u.state IN (:states) AND u.role IN (:roles)
              AND (:query = '' OR lower(a.name) LIKE :query ESCAPE '!' OR lower(u.email) LIKE :query ESCAPE '!')
            {page.clause("u.account_id")}""",  # noqa: S608
        states=[state] if state else list(STATES),
        roles=[role] if role else list(ROLES),
        query=f"%{core.escape_like(query.strip().lower())}%" if query.strip() else "",
        **page.values,
    )
    return _with_accounts(tx, [row["account_id"] for row in page.newest_first(rows)])


def _with_accounts(tx: Reader, ids: Sequence[int]) -> list[UserWithAccount]:
    if not ids:
        return []
    accounts_by_id = accounts.by_ids(tx, ids)
    rows = tx.all(f"SELECT {columns(User)} FROM users WHERE account_id IN (:ids)", ids=list(ids))  # noqa: S608
    users_by_id = {row["account_id"]: build(User, row) for row in rows}
    return [UserWithAccount(accounts_by_id[id_], users_by_id[id_]) for id_ in ids]


def staff(tx: Reader) -> list[UserWithAccount]:
    """Returns the active moderators and admins, who are notified of sign-ups."""
    rows = tx.all(
        """SELECT account_id FROM users WHERE role IN ('moderator', 'admin') AND state = 'active'
           ORDER BY account_id"""
    )
    return _with_accounts(tx, [row["account_id"] for row in rows])


def contact_account(tx: Reader, name: str) -> Account | None:
    """Returns the account of the user with this name, or for no name that of the first admin; None if it is inactive."""
    if name:
        found = by_login(tx, name)
        admins = [found.account] if found is not None and found.user.state == "active" else []
    else:
        admins = [one.account for one in staff(tx) if one.user.role == "admin"]
    return next((account for account in admins if not account.is_inactive), None)


def counts_by_state(tx: Reader) -> dict[str, int]:
    """Returns the number of users in each state, 0 included."""
    counts = dict.fromkeys(STATES, 0)
    for row in tx.all("SELECT state, COUNT(*) AS number FROM users GROUP BY state"):
        counts[row["state"]] = row["number"]
    return counts


def count_invited_since(tx: Reader, account_id: int, since: int) -> int:
    """Returns how many users signed up by invites of an account since a time in milliseconds."""
    sql = "SELECT COUNT(*) FROM users WHERE invited_by = :account AND created_at >= :since"
    return int(tx.value(sql, account=account_id, since=since))


def count_active_since(tx: Reader, since: int) -> int:
    """Returns the number of active users who were seen since a time in milliseconds."""
    sql = "SELECT COUNT(*) FROM users WHERE state = 'active' AND seen_at >= :since"
    return int(tx.value(sql, since=since))


def check_is_staff(tx: Reader, actor: Account) -> None:
    """Raises NotAllowed unless `actor` is an active moderator or admin."""
    user = by_account(tx, actor)
    if user is None or not user.is_staff:
        raise NotAllowed("You are not allowed to do that.")


def check_may_moderate(tx: Reader, actor: Account | None, target: Account) -> None:
    """Raises NotAllowed unless `actor` is staff and not the target; only an admin may moderate staff.

    None, the command line, may moderate anybody.
    """
    if actor is None:
        return
    actor_user, target_user = by_account(tx, actor), by_account(tx, target)
    if actor_user is None or not actor_user.is_staff or actor.id == target.id:
        raise NotAllowed("You are not allowed to do that.")
    if target_user is not None and target_user.is_staff and not actor_user.is_admin:
        raise NotAllowed("Only an admin may do that to a moderator or admin.")


def set_role(tx: Writer, actor: Account | None, target: Account, role: str) -> None:
    """Changes a role; `actor` is an admin, or None on the command line. Raises NotAllowed for the last admin."""
    if role not in ROLES:
        raise Invalid(f"A role is one of {', '.join(ROLES)}.", field="role")
    lock_admins(tx)
    if actor is not None:
        user = by_account(tx, actor)
        if user is None or not user.is_admin:
            raise NotAllowed("Only an admin may do that.")
    sign_ups.check_decided(tx, target)
    keep_one_admin(tx, target, role)
    tx.run("UPDATE users SET role = :role WHERE account_id = :id", role=role, id=target.id)
    audit_log.record(tx, actor, "role", target.handle, role)


def lock_admins(tx: Writer) -> None:
    """Makes whoever changes an admin meanwhile wait: two admins could take the role from each other."""
    tx.run("UPDATE users SET role = role WHERE role = 'admin'")


def keep_one_admin(tx: Reader, account: Account, role: str = "") -> None:
    """Raises NotAllowed if no admin would be left when `account` gets another role, or is gone with none."""
    admins = tx.all("SELECT account_id FROM users WHERE role = 'admin' AND state = 'active' LIMIT 2")
    if role != "admin" and [row["account_id"] for row in admins] == [account.id]:
        raise NotAllowed("There must be at least one admin. Please make someone else an admin first.")


def approve(tx: Writer, actor: Account, target: Account) -> None:
    """Approves a pending sign-up; does nothing for a user who is not pending."""
    check_may_moderate(tx, actor, target)
    if tx.run("UPDATE users SET state = 'active' WHERE account_id = :id AND state = 'pending'", id=target.id):
        accounts.set_visible(tx, target.id)
        audit_log.record(tx, actor, "approve", target.handle)
        if (user := by_account(tx, target)) is not None:
            queue_mail(tx, MailKind.APPROVED, user.email, account=target, language=user.language)


def reject(tx: Writer, actor: Account, target: Account, reason: str = "") -> None:
    """Rejects a pending sign-up and deletes its account; who has its password is told so, with the reason, for a month.

    Raises NotFound for a user who is not pending.
    """
    check_may_moderate(tx, actor, target)
    user = by_account(tx, target)
    if user is None or user.state != "pending":
        raise NotFound("No pending sign-up by that name.")
    audit_log.record(tx, actor, "reject", target.handle)
    queue_mail(tx, MailKind.REJECTED, user.email, language=user.language, about=target.name)
    hashed = password_hash(tx, target.id) or ""
    sign_ups.record_rejection(tx, target, email=user.email, password_hash=hashed, reason=reason)
    notifications.delete_by_account(tx, target)
    delete_by_account(tx, target)
    accounts.delete_unapproved(tx, target)


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the user of an account: its e-mail address, password and settings."""
    tx.run("DELETE FROM users WHERE account_id = :id", id=account.id)
