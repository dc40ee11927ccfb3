"""Rows in any table, of an account and a post, made from the schema alone."""

from __future__ import annotations

from node.attachments.avatars import PICTURE_KINDS
from node.database import Writer
from node.ids import new_id
from node.models.account import Account
from node.models.post import Post
from tests.support.schema import Column, columns

# What a column without a foreign key holds, by its name.
ACCOUNT_IDS = {
    "account_id",
    "by_id",
    "target_id",
    "follower_id",
    "followed_id",
    "invited_by",
    "closed_by",
    "private_by",
}
POST_IDS = {"post_id", "parent_id", "root_id"}

# Values that the code gives a meaning; for any other required column every value will do.
VALUES = {
    ("avatar_files", "variant"): next(iter(PICTURE_KINDS.values())).variant_names()[0],
    ("follows", "state"): "accepted",
}


def ids_of(kind: str) -> list[Column]:
    """The columns with ids of posts, or of accounts."""
    names = {"posts": POST_IDS, "accounts": ACCOUNT_IDS}[kind]
    return [
        column
        for column in columns()
        if column.references == kind or (not column.references and column.name in names)
    ]


class Rows:
    """Writes rows that refer to a post or an account into any table, knowing nothing but the schema."""

    def __init__(self, tx: Writer, account: Account, post: Post) -> None:
        self._tx = tx
        self._defaults = {"accounts": account.id, "posts": post.id}
        self._columns = columns()
        self._kinds = {
            (column.table, column.name): kind for kind in self._defaults for column in ids_of(kind)
        }

    def add(self, table: str, **given: object) -> dict[str, object]:
        values = {
            column.name: given.get(column.name, self._value(column))
            for column in self._columns
            if column.table == table and (column.is_required or column.name in given)
        }
        names = ", ".join(values)
        self._tx.run(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join(':' + name for name in values)})", **values
        )
        return values

    def _value(self, column: Column) -> object:
        key = (column.table, column.name)
        if key in VALUES:
            return VALUES[key]
        if key in self._kinds:
            return self._defaults[self._kinds[key]]
        if column.references:
            return self.add(column.references)["id"]
        if column.type == "TEXT":
            return f"text {new_id()}"
        return False if column.type == "BOOLEAN" else 1 if column.type == "INTEGER" else new_id()
