"""Accounts, local and remote, in one table. Owns `accounts`.

The uri identifies an account; name and domain are a label that may change and may pass to another uri.
`create_local` is the only way to make a local account, `lifecycle.remote_accounts.upsert` the only way in for a
remote one. Rows stay after deletion, so that a name is never given out twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from node.accounts import keys
from node.database import Reader, Row, Writer, build, build_all, columns
from node.errors import Conflict, NotAllowed, NotFound
from node.ids import new_id, now_ms
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.text.display_names import check_username

ACTOR_TYPES = frozenset({"Person", "Service", "Application", "Group", "Organization"})


_SELECT = f"SELECT {columns(Account)} FROM accounts"  # noqa: S608


def by_id(tx: Reader, account_id: int) -> Account | None:
    return _found(tx.one(_SELECT + " WHERE id = :id", id=account_id))


def looked_at(tx: Reader, account_id: int) -> int | None:
    """Returns when the profile of a remote account was last requested (milliseconds), None if it never was."""
    at: int | None = tx.value("SELECT looked_at FROM accounts WHERE id = :id", id=account_id)
    return at


def get(tx: Reader, account_id: int) -> Account:
    """Returns the account with this id. Raises NotFound if there is none, where `by_id` returns None."""
    account = by_id(tx, account_id)
    if account is None:
        raise NotFound("There is no account by that name here.")
    return account


def by_uri(tx: Reader, uri: str) -> Account | None:
    return _found(tx.one(_SELECT + " WHERE uri = :uri", uri=uri))


def _found(row: Row | None) -> Account | None:
    return build(Account, row) if row else None


def by_ids(tx: Reader, ids: Iterable[int]) -> dict[int, Account]:
    wanted = set(ids)
    if not wanted:
        return {}
    rows = tx.all(_SELECT + " WHERE id IN (:ids)", ids=list(wanted))
    return {account.id: account for account in build_all(Account, rows)}


def by_handle(tx: Reader, handle: str) -> Account | None:
    """Finds `name`, `@name`, `name@domain` or `@name@domain`, whatever the case.

    A local account comes first: before a domain became that of local handles, a remote account may have been
    known under it. When a handle has passed from one uri to another, the account that was fetched last has it.
    """
    name, _, domain = handle.strip().removeprefix("@").partition("@")
    return _found(
        tx.one(
            _SELECT
            + """ WHERE lower(name) = lower(:name) AND domain = :domain
              ORDER BY CASE WHEN is_local THEN 0 ELSE 1 END,
                  CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END, fetched_at DESC, id DESC LIMIT 1""",
            name=name,
            domain=tx.site.handle_domain
            if not domain or tx.site.is_own_domain(domain.lower())
            else domain.lower(),
        )
    )


def instance_actor(tx: Reader) -> Account:
    """Returns the actor of the node itself, which signs requests that no person makes.

    Made by `create_instance_actor`.
    """
    account = by_uri(tx, tx.site.uri("/actor"))
    if account is None:
        raise NotFound(detail="the instance actor has not been created yet")
    return account


def of_another_address(tx: Reader) -> Account | None:
    """Returns an account that was made here while the node had another address, the oldest if there are several.

    Other servers know it by that address, so they find nobody. Reads all accounts: for the start and for checks.
    """
    base = f"{tx.site.base_url}/"
    return _found(
        tx.one(
            _SELECT
            + """ WHERE is_local AND kind <> 'Application' AND deleted_at IS NULL
                  AND substr(uri, 1, :length) <> :base ORDER BY id LIMIT 1""",
            base=base,
            length=len(base),
        )
    )


def set_handle_domain(tx: Writer) -> list[Account]:
    """Gives all local accounts the handle domain of the options; returns those whose handle changed."""
    renamed = tx.all(
        """UPDATE accounts SET domain = :domain
           WHERE is_local AND kind <> 'Application' AND domain <> :domain AND deleted_at IS NULL
           RETURNING id""",
        domain=tx.site.handle_domain,
    )
    return list(by_ids(tx, [row["id"] for row in renamed]).values())


def create_local(tx: Writer, name: str, *, pair: keys.KeyPair, kind: str = "Person") -> Account:
    """Creates a local account. Raises Invalid for a name nobody may have, Conflict for one that is or was taken.

    `pair` comes from `keys.generate`, called before the unit of work because it takes long.
    """
    check_username(name)
    uri = tx.site.uri(f"/users/{name}")
    return _create(tx, uri, f"{tx.site.base_url}/@{name}", name, kind, f"{uri}/inbox", pair)


def check_new_name(tx: Reader, name: str) -> None:
    """Raises Invalid for a name that no local account may have, Conflict for one that is or was taken."""
    check_username(name)
    if tx.value("SELECT 1 FROM accounts WHERE lower(name) = :name AND is_local", name=name.lower()):
        raise Conflict("That username is taken.")


def create_instance_actor(tx: Writer, pair: keys.KeyPair) -> Account:
    """Creates the actor of the node itself; returns the one that exists if it was created before."""
    uri = tx.site.uri("/actor")
    if existing := by_uri(tx, uri):
        return existing
    return _create(tx, uri, tx.site.uri("/about"), tx.site.domain, "Application", f"{uri}/inbox", pair)


def _create(tx: Writer, uri: str, url: str, name: str, kind: str, inbox: str, pair: keys.KeyPair) -> Account:
    is_node = kind == "Application"
    row = tx.one(
        f"""INSERT INTO accounts (id, uri, url, name, domain, is_local, kind, is_locked, is_discoverable,
                inbox, shared_inbox, outbox, followers_uri, following_uri, featured_uri,
                created_at, updated_at)
            VALUES (:id, :uri, :url, :name, :domain, TRUE, :kind, :is_node, :is_person,
                :inbox, :shared, :outbox, :followers, :following, :featured, :now, :now)
            ON CONFLICT DO NOTHING RETURNING {columns(Account)}""",  # noqa: S608
        id=new_id(),
        uri=uri,
        url=url,
        name=name,
        domain=tx.site.domain if is_node else tx.site.handle_domain,
        kind=kind,
        is_node=is_node,
        is_person=not is_node,
        inbox=inbox,
        shared=tx.site.uri("/inbox"),
        outbox=f"{uri}/outbox",
        followers="" if is_node else f"{uri}/followers",
        following="" if is_node else f"{uri}/following",
        featured="" if is_node else f"{uri}/collections/featured",
        now=now_ms(),
    )
    if row is None:
        raise Conflict("That username is taken.")
    account = build(Account, row)
    keys.create(tx, account, pair)
    return account


def adjust_counts(
    tx: Writer,
    account_id: int,
    *,
    posts: int = 0,
    followers: int = 0,
    following: int = 0,
    posted_at: int | None = None,
) -> None:
    """Adds to the counts of an account, in the same unit of work as the change. `posted_at` is in milliseconds."""
    tx.run(
        """UPDATE accounts SET posts_count = posts_count + :posts,
                  followers_count = followers_count + :followers,
                  following_count = following_count + :following,
                  last_posted_at = CASE WHEN CAST(:posted_at AS BIGINT) IS NULL THEN last_posted_at
                      WHEN last_posted_at IS NULL OR last_posted_at < :posted_at THEN :posted_at
                      ELSE last_posted_at END
           WHERE id = :id""",
        id=account_id,
        posts=posts,
        followers=followers,
        following=following,
        posted_at=posted_at,
    )


def _update(tx: Writer, account_id: int, **values: object) -> None:
    pairs = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE accounts SET {pairs} WHERE id = :id", id=account_id, **values)  # noqa: S608


def record_fetch(tx: Writer, account_id: int) -> None:
    """Records that a remote account was fetched just now, whatever came of it."""
    _update(tx, account_id, fetched_at=now_ms())


def set_claimed_counts(
    tx: Writer,
    account_id: int,
    *,
    posts: int | None,
    followers: int | None,
    following: int | None,
    hides_follows: bool | None,
) -> None:
    """Stores the counts that the account's own server claims; None leaves the earlier value."""
    tx.run(
        """UPDATE accounts SET looked_at = :now, updated_at = :now,
                  claimed_posts = COALESCE(CAST(:posts AS BIGINT), claimed_posts),
                  claimed_followers = COALESCE(CAST(:followers AS BIGINT), claimed_followers),
                  claimed_following = COALESCE(CAST(:following AS BIGINT), claimed_following),
                  hides_follows = COALESCE(CAST(:hides AS BOOLEAN), hides_follows)
           WHERE id = :id AND NOT is_local""",
        id=account_id,
        posts=posts,
        followers=followers,
        following=following,
        hides=hides_follows,
        now=now_ms(),
    )


def set_picture(tx: Writer, account_id: int, kind: str, *, file: str, alt: str) -> None:
    """Sets the file and alt text of a picture, `kind` 'avatar' or 'header'; '' removes it.

    Called by attachments/avatars.py once the files are stored.
    """
    _update(tx, account_id, **{f"{kind}_file": file, f"{kind}_alt": alt}, updated_at=now_ms())


def set_migration(tx: Writer, account_id: int, *, aliases: list[str], moved_to: str) -> None:
    """Sets the uris of the account's aliases and of the account it moved to, or ''. Called by lifecycle/migration.py."""
    _update(tx, account_id, also_known_as=json.dumps(aliases), moved_to=moved_to, updated_at=now_ms())


def upsert_remote(
    tx: Writer, uri: str, values: dict[str, Any], *, created_at: int, now: int
) -> Account | None:
    """Writes the row of a remote account, new or changed; None if the account is local or deleted.

    `values` are columns of `accounts`; both times are milliseconds.
    """
    row = tx.one(
        f"""INSERT INTO accounts (id, uri, is_local, created_at, updated_at, fetched_at, {", ".join(values)})
            VALUES (:id, :uri, FALSE, :created_at, :now, :now, {", ".join(":" + name for name in values)})
            ON CONFLICT (uri) DO UPDATE SET updated_at = excluded.updated_at, fetched_at = excluded.fetched_at,
                {", ".join(f"{name} = excluded.{name}" for name in values)}
            WHERE NOT accounts.is_local AND accounts.deleted_at IS NULL
            RETURNING {columns(Account)}""",  # noqa: S608
        id=new_id(),
        uri=uri,
        created_at=created_at,
        now=now,
        **values,
    )
    return None if row is None else build(Account, row)


def apply_remote_suspension(tx: Writer, account: Account, *, is_suspended: bool) -> Account:
    """Stores that the account's own server suspends or unsuspends it. A suspension by this node stays."""
    row = tx.one(
        f"""UPDATE accounts SET suspended_there = :there,
                   suspended_at = CASE WHEN :there THEN :now ELSE NULL END
            WHERE id = :id AND CASE WHEN :there THEN suspended_at IS NULL ELSE suspended_there END
            RETURNING {columns(Account)}""",  # noqa: S608
        id=account.id,
        there=is_suspended,
        now=now_ms(),
    )
    return account if row is None else build(Account, row)


def update_local(tx: Writer, account_id: int, values: dict[str, Any]) -> Account:
    """Writes these columns of a local account. Raises NotFound."""
    row = tx.one(
        f"""UPDATE accounts SET updated_at = :now, {", ".join(f"{name} = :{name}" for name in values)}
            WHERE id = :id AND is_local RETURNING {columns(Account)}""",  # noqa: S608
        id=account_id,
        now=now_ms(),
        **values,
    )
    if row is None:
        raise NotFound("There is no account by that name here.")
    return build(Account, row)


def set_visible(tx: Writer, account_id: int, *, is_visible: bool = True) -> None:
    """Makes an account visible, which ends every suspension, or hides one whose sign-up is not approved yet."""
    tx.run(
        """UPDATE accounts SET updated_at = :now, suspended_with_server = FALSE, suspended_there = FALSE,
                  suspended_at = CASE WHEN :is_shown THEN NULL ELSE COALESCE(suspended_at, :now) END
           WHERE id = :id""",
        is_shown=is_visible,
        now=now_ms(),
        id=account_id,
    )


def apply_policy_to_server(tx: Writer, domain: str, host: str, policy: DomainPolicy) -> None:
    """Applies the policy of a server to the remote accounts whose handle and whose uri are on it.

    `domain` is that of the handles, `host` that of the uris. An account that a moderator has suspended stays so.
    """
    _apply_policy(tx, "domain = :domain AND host = :host", policy, domain=domain, host=host)


def apply_policy_to_accounts(tx: Writer, ids: Sequence[int], policy: DomainPolicy) -> None:
    """Applies a policy to these remote accounts, see `apply_policy_to_server`."""
    _apply_policy(tx, "id IN (:ids)", policy, ids=ids)


def _apply_policy(tx: Writer, where: str, policy: DomainPolicy, **values: object) -> None:
    tx.run(
        f"""UPDATE accounts SET updated_at = :now, is_limited = :is_limited, is_without_media = :without_media,
                  suspended_with_server = CAST(:suspend AS BOOLEAN)
                      AND (suspended_at IS NULL OR suspended_with_server),
                  suspended_at = CASE WHEN :suspend THEN COALESCE(suspended_at, :now)
                      WHEN suspended_with_server THEN NULL ELSE suspended_at END
           WHERE {where} AND NOT is_local""",  # noqa: S608
        is_limited=policy.is_limited,
        without_media=policy.rejects_media,
        suspend=policy.is_suspended,
        now=now_ms(),
        **values,
    )


def delete_unapproved(tx: Writer, account: Account) -> None:
    """Deletes an account that was never visible, so that its name is free again. Raises NotAllowed for another."""
    if account.suspended_at is None:
        raise NotAllowed("This account is active.", detail=f"{account.uri} is not waiting for approval")
    keys.delete_all(tx, account)
    tx.run("DELETE FROM accounts WHERE id = :id AND is_local", id=account.id)


def mark_deleted(tx: Writer, account_id: int) -> bool:
    """Empties the row of an account, which stays so that its name is never given out twice.

    Returns False if it was deleted before.
    """
    changed = tx.run(
        """UPDATE accounts SET deleted_at = :now, updated_at = :now, display_name = '', bio = '', bio_source = '',
                  fields = '[]', avatar_file = '', avatar_url = '', avatar_alt = '', also_known_as = '[]',
                  header_file = '', header_url = '', header_alt = '', attribution_domains = '[]',
                  moved_to = '', is_discoverable = FALSE, is_indexable = FALSE
           WHERE id = :id AND deleted_at IS NULL""",
        id=account_id,
        now=now_ms(),
    )
    return changed > 0


def remote_not_fetched_since(
    tx: Reader, before: int, after_id: int, limit: int
) -> tuple[list[Account], int | None]:
    """Returns the remote accounts among the next `limit`, by id, that were last fetched before `before`.

    Those suspended by a moderator are left out. The second value is the last id that was looked at, None at the end.
    """
    rows = tx.all(
        _SELECT + " WHERE id > :after AND NOT is_local ORDER BY id LIMIT :limit", after=after_id, limit=limit
    )
    found = [
        account
        for account in build_all(Account, rows)
        if max(account.created_at, account.fetched_at or 0, account.looked_at or 0) < before
        and (account.suspended_at is None or account.suspended_with_server or account.suspended_there)
    ]
    return found, rows[-1]["id"] if rows else None


def delete_rows(tx: Writer, ids: Sequence[int]) -> None:
    """Deletes the rows of remote accounts to which nothing refers."""
    tx.run("DELETE FROM accounts WHERE id IN (:ids) AND NOT is_local", ids=ids)
