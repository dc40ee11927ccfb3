"""People tagged in photos, each at a point. Owns `tagged_people`.

Whoever is tagged in a photo is addressed by its post as if mentioned: `publishing` makes them silent mentions, so they
may see the post and are notified once. A tagged person can remove the tag, for good: its row stays, so that the author
cannot make it again. A block between the two ends the tags of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node.accounts import accounts, relationships
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.ids import now_ms
from node.models import deletion_hooks
from node.models.account import Account

MAX_PER_PHOTO = 20


@dataclass(frozen=True, slots=True)
class TaggedPerson:
    """Somebody in a photo. `x` and `y` are shares of its width and height, from the left and from the top."""

    account: Account
    x: float
    y: float


def by_photos(tx: Reader, photo_ids: Iterable[int]) -> dict[int, list[TaggedPerson]]:
    """Returns who is tagged, by photo id, in two queries however many photos there are.

    Without those who have removed the tag, or are suspended or deleted.
    """
    ids = list(photo_ids)
    rows = ids and tx.all(
        """SELECT photo_id, account_id, x, y FROM tagged_people
           WHERE photo_id IN (:ids) AND removed_at IS NULL ORDER BY photo_id, x, account_id""",
        ids=ids,
    )
    if not rows:
        return {}
    people = accounts.by_ids(tx, {row["account_id"] for row in rows})
    found: dict[int, list[TaggedPerson]] = {}
    for row in rows:
        account = people[row["account_id"]]
        if not account.is_inactive:
            found.setdefault(row["photo_id"], []).append(TaggedPerson(account, row["x"], row["y"]))
    return found


def accounts_in(tx: Reader, author: Account, photo_ids: Sequence[int]) -> list[Account]:
    """Returns the accounts that a post by `author` with these photos is addressed to, each once."""
    found = {one.account.id: one.account for people in by_photos(tx, photo_ids).values() for one in people}
    return [person for person in found.values() if may_tag(tx, author, person)]


def may_tag(tx: Reader, author: Account, person: Account) -> bool:
    """Returns whether `author` may tag this person: an active account of a person, with no block between the two."""
    if person.is_inactive or person.kind == "Application":
        return False
    return author.id == person.id or not relationships.is_block_between(tx, author, person)


def tag(tx: Writer, author: Account, photo_id: int, person: Account, x: float, y: float) -> bool:
    """Tags somebody at a point of a photo, or moves the tag there. Returns whether that changed anything.

    Raises NotFound for a photo of another account, Invalid for somebody who may not be tagged or has removed the tag, and for
    more than `MAX_PER_PHOTO`.
    """
    photo_rows.owned_by(tx, author, photo_id)
    if not may_tag(tx, author, person):
        raise Invalid("This person cannot be tagged.", field="person")
    row = tx.one(
        "SELECT x, y, removed_at FROM tagged_people WHERE photo_id = :photo AND account_id = :account",
        photo=photo_id,
        account=person.id,
    )
    if row is not None and row["removed_at"] is not None:
        raise Invalid("This person has removed the tag from this photo.", field="person")
    count = tx.value("SELECT COUNT(*) FROM tagged_people WHERE photo_id = :photo", photo=photo_id)
    if row is None and count >= MAX_PER_PHOTO:
        raise Invalid(f"Up to {MAX_PER_PHOTO} people can be tagged in a photo.", field="person")
    point = _within(x), _within(y)
    if row is not None and (row["x"], row["y"]) == point:
        return False
    _put(tx, photo_id, person.id, point)
    return True


def _within(share: float) -> float:
    return round(min(1.0, max(0.0, share)), 3)


def _put(tx: Writer, photo_id: int, account_id: int, point: tuple[float, float]) -> None:
    tx.run(
        """INSERT INTO tagged_people (photo_id, account_id, x, y) VALUES (:photo, :account, :x, :y)
           ON CONFLICT (photo_id, account_id) DO UPDATE SET x = excluded.x, y = excluded.y""",
        photo=photo_id,
        account=account_id,
        x=point[0],
        y=point[1],
    )


def untag(tx: Writer, author: Account, photo_id: int, person_id: int) -> bool:
    """Takes a tag out of a photo of this account. Returns whether there was one. Raises NotFound for another's photo."""
    photo_rows.owned_by(tx, author, photo_id)
    deleted = tx.run(
        "DELETE FROM tagged_people WHERE photo_id = :photo AND account_id = :account AND removed_at IS NULL",
        photo=photo_id,
        account=person_id,
    )
    return bool(deleted)


def remove_own(tx: Writer, person: Account, photo_ids: Sequence[int]) -> None:
    """Removes the tags of a person who does not want them, for good. Raises NotFound without one."""
    removed = tx.run(
        """UPDATE tagged_people SET removed_at = :now
           WHERE photo_id IN (:photos) AND account_id = :account AND removed_at IS NULL""",
        photos=list(photo_ids),
        account=person.id,
        now=now_ms(),
    )
    if not removed:
        raise NotFound("There is no such tag.")


def move(tx: Writer, photo_id: int, points: Mapping[int, tuple[float, float] | None]) -> None:
    """Moves tags to other points, by account id, when the photo got another shape; None deletes one that was cut off."""
    for account_id, point in points.items():
        if point is not None:
            _put(tx, photo_id, account_id, (_within(point[0]), _within(point[1])))
        else:
            tx.run(
                "DELETE FROM tagged_people WHERE photo_id = :photo AND account_id = :account",
                photo=photo_id,
                account=account_id,
            )


def replace_remote(
    tx: Writer, author: Account, wanted: Sequence[tuple[Photo, Sequence[TaggedPerson]]]
) -> None:
    """Replaces the tags in photos of a remote post. Those that a person here has removed stay removed."""
    ids = [photo.id for photo, _people in wanted]
    tx.run("DELETE FROM tagged_people WHERE photo_id IN (:ids) AND removed_at IS NULL", ids=ids)
    for photo, people in wanted:
        for one in people[:MAX_PER_PHOTO]:
            if may_tag(tx, author, one.account):
                _put(tx, photo.id, one.account.id, (_within(one.x), _within(one.y)))


def delete_between(tx: Writer, one_id: int, other_id: int) -> None:
    """Deletes the tags of two accounts in photos of each other, when one blocks the other."""
    for tagged, owner in ((one_id, other_id), (other_id, one_id)):
        tx.run(
            """DELETE FROM tagged_people WHERE account_id = :tagged AND removed_at IS NULL AND EXISTS (
                   SELECT 1 FROM photos p WHERE p.id = tagged_people.photo_id AND p.account_id = :owner)""",
            tagged=tagged,
            owner=owner,
        )


@deletion_hooks.on_account_content_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the tags of an account. Those in a photo are deleted with the photo."""
    tx.run("DELETE FROM tagged_people WHERE account_id = :id", id=account.id)
