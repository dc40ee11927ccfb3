"""What an endpoint gets and gives: `ApiRequest`, `JsonResponse`, and the three kinds of endpoint.

"read" and "write" are units of work: the whole request (authentication, what the account may see, the response)
happens in one transaction, in one hop to the database's thread. "async" is for the few that must wait for
something else (decoding a photo, a request to another server) and hop themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from node.accounts import accounts
from node.auth.access_tokens import AccessToken
from node.auth.users import User
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import parse_id
from node.models.account import Account
from node.node import Node
from node.paging import Found, Page
from web.api import paging
from web.api.entities import Entities
from web.api.params import Params

ReadEndpoint = Callable[[Reader, "ApiRequest"], "JsonResponse"]
WriteEndpoint = Callable[[Writer, "ApiRequest"], "JsonResponse"]
AsyncEndpoint = Callable[["ApiRequest"], Awaitable["JsonResponse"]]
Access = Literal["user", "anyone", "app"]


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. Any one of `scopes` is enough.

    `access`: "user" needs a token of an account; "anyone" works without one, but a token that is given must
    be good for it; "app" looks at none, since an app calls it by its id and secret, or before it has any.
    """

    method: str
    path: str
    kind: Literal["read", "write", "async"]
    endpoint: Any
    scopes: tuple[str, ...] = ()
    access: Access = "user"


class RouteTable:
    """The routes of one module, each declared by a decorator above its endpoint.

    Paths are those of Mastodon's documentation, such as `/api/v1/statuses/{id}`; what stands in braces arrives in
    `ApiRequest.path_args`. The decorators return the function as it is.
    """

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def read(self, path: str, *scopes: str) -> Callable[[ReadEndpoint], ReadEndpoint]:
        """Declares a GET that needs a token and runs in one reading transaction."""

        def declare(endpoint: ReadEndpoint) -> ReadEndpoint:
            self.routes.append(Route("GET", path, "read", endpoint, scopes))
            return endpoint

        return declare

    def public(self, path: str, *scopes: str) -> Callable[[ReadEndpoint], ReadEndpoint]:
        """Declares a GET as `read` does, for anyone: without a token it shows what is public."""

        def declare(endpoint: ReadEndpoint) -> ReadEndpoint:
            self.routes.append(Route("GET", path, "read", endpoint, scopes, "anyone"))
            return endpoint

        return declare

    def write(self, method: str, path: str, *scopes: str) -> Callable[[WriteEndpoint], WriteEndpoint]:
        """Declares an endpoint that runs in one writing transaction."""

        def declare(endpoint: WriteEndpoint) -> WriteEndpoint:
            self.routes.append(Route(method, path, "write", endpoint, scopes))
            return endpoint

        return declare

    def asynchronous(
        self, method: str, path: str, *scopes: str, access: Access = "user"
    ) -> Callable[[AsyncEndpoint], AsyncEndpoint]:
        """Declares an endpoint that waits for something besides the database, and opens its transactions itself."""

        def declare(endpoint: AsyncEndpoint) -> AsyncEndpoint:
            self.routes.append(Route(method, path, "async", endpoint, scopes, access))
            return endpoint

        return declare


@dataclass(slots=True)
class JsonResponse:
    """A finished JSON response."""

    body: bytes
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(slots=True)
class ApiRequest:
    """One request to one endpoint. `account`, `user`, `token` are set before the endpoint runs.

    `authorization` is the whole header, for apps that sign in as themselves; of it, `bearer_token` is the token of a
    person, and `app_token` that of an app, which acts for nobody. `address` is the client's.
    """

    node: Node
    entities: Entities
    route: Route
    path_args: tuple[str, ...]
    params: Params
    path: str
    bearer_token: str
    idempotency_key: str
    authorization: str = ""
    address: str = ""
    app_token: str = ""
    account: Account | None = None
    user: User | None = None
    token: AccessToken | None = None

    @property
    def caller(self) -> Account:
        """The account the token acts for. Raises NotAllowed without one."""
        if self.account is None:
            raise NotAllowed("You need to be signed in.")
        return self.account

    def path_id(self, index: int = 0) -> int:
        """Returns the id in the path. Raises NotFound if it is none."""
        value = parse_id(self.path_args[index])
        if value is None:
            raise NotFound
        return value

    def path_account(self, tx: Reader, index: int = 0) -> Account:
        """Returns the account in the path. Raises NotFound if there is none, or if it was deleted."""
        account = accounts.by_id(tx, self.path_id(index))
        if account is None or account.deleted_at is not None:
            raise NotFound
        return account

    def required_param(self, name: str) -> str:
        text = self.params.text(name).strip()
        if not text:
            raise Invalid(f"{name} is missing.", field=name)
        return text

    def json_response(self, value: Any, status: int = 200) -> JsonResponse:
        """Returns a response with anything `msgspec` can encode, `msgspec.Raw` pieces included."""
        return JsonResponse(msgspec.json.encode(value), status)

    def requested_page(self, default: int = 20, max_limit: int = 40) -> Page:
        return paging.requested_page(self.params, default, max_limit)

    def page_response(
        self, bodies: Sequence[bytes], page: Page, ids: Sequence[int], *list_params: str
    ) -> JsonResponse:
        """Returns a response with a page of encoded entities and its `Link` header.

        `ids` are what the list is paged by; where the list goes on is what they say, if they are `Found`.

        `list_params` names the parameters that belong to the list itself and must come back in the links.
        """
        response = JsonResponse(b"[" + b",".join(bodies) + b"]")
        newer = max(ids, default=None)
        older = min(ids, default=None)
        if isinstance(ids, Found):
            newer, older = ids.newer or newer, ids.older
        if newer is not None or older is not None:
            values = [
                (f"{name}[]" if self.params.is_list(name) else name, value)
                for name in list_params
                for value in self.params.all_values(name)
            ]
            url = self.node.site.uri(quote(self.path))
            link = paging.link_header(url, values, page.limit, newer, older)
            response.headers.append((b"link", link.encode()))
        return response
