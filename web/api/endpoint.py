"""What an endpoint gets and gives: `Call`, `Answer`, and the three kinds of endpoint.

`look` and `change` are units of work: the whole call — who is asking, what they may see, the answer —
happens in one transaction, in one hop to the database's thread. `work` is for the few that must wait for
something else (decoding a photo, asking another server) and hop themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from node.accounts import accounts
from node.auth.access_tokens import Token
from node.auth.users import User
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import read_id
from node.models.account import Account
from node.node import Node
from node.paging import Page
from web.api import paging
from web.api.entities import Entities
from web.api.params import Params

Look = Callable[[Reader, "Call"], "Answer"]
Change = Callable[[Writer, "Call"], "Answer"]
Work = Callable[["Call"], Awaitable["Answer"]]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. Any one of `scopes` is enough.

    `access`: "user" needs a token of a person; "anyone" works without one, but a token that is given must
    be good for it.
    """

    method: str
    path: str
    kind: Literal["look", "change", "work"]
    endpoint: Any
    scopes: tuple[str, ...] = ()
    access: Literal["user", "anyone"] = "user"


@dataclass(slots=True)
class Answer:
    """A finished JSON answer."""

    body: bytes
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class Call:
    """One request to one endpoint. `account`, `user`, `token` are set before the endpoint runs."""

    node: Node
    entities: Entities
    route: Route
    args: tuple[str, ...]
    params: Params
    path: str
    bearer: str
    idempotency_key: str
    account: Account | None = None
    user: User | None = None
    token: Token | None = None

    @property
    def who(self) -> Account:
        """The person calling; only for endpoints that need one."""
        if self.account is None:
            raise NotAllowed("You need to be signed in.")
        return self.account

    def id(self, place: int = 0) -> int:
        """The id in the path. What is no id is simply not there."""
        value = read_id(self.args[place])
        if value is None:
            raise NotFound
        return value

    def person(self, tx: Reader, place: int = 0) -> Account:
        """The account in the path, if it is (still) there."""
        account = accounts.by_id(tx, self.id(place))
        if account is None or account.deleted_at is not None:
            raise NotFound
        return account

    def required(self, name: str) -> str:
        text = self.params.text(name).strip()
        if not text:
            raise Invalid(f"{name} is missing.", field=name)
        return text

    def json(self, value: Any, status: int = 200) -> Answer:
        """An answer from anything `msgspec` can write, `msgspec.Raw` pieces included."""
        return Answer(msgspec.json.encode(value), status)

    def page(self, default: int = 20, most: int = 40) -> Page:
        return paging.page(self.params, default, most)

    def listed(self, bodies: Sequence[bytes], page: Page, ids: Sequence[int], *kept: str) -> Answer:
        """A page of finished entities with its `Link` header. `ids` are what the list is paged by.

        `kept` names the parameters that belong to the list itself and must come back in the links.
        """
        answer = Answer(b"[" + b",".join(bodies) + b"]")
        if ids:
            values = [
                (f"{name}[]" if self.params.is_list(name) else name, value)
                for name in kept
                for value in self.params.all(name)
            ]
            url = self.node.site.uri(quote(self.path))
            link = paging.link(url, values, page.limit, max(ids), min(ids))
            answer.headers.append((b"link", link.encode()))
        return answer
