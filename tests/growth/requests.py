"""The requests whose queries are counted: every list that a page, the API or a collection shows, by its name."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from tests.support.crowd import Crowd


@dataclass(frozen=True)
class Request:
    """A GET by a visitor, by alice's browser ("page"), by her app ("app"), or by another server ("server")."""

    path: str
    by: str = "visitor"
    headers: dict[str, str] = field(default_factory=dict)


def _combinations(*flags: str) -> list[str]:
    """Every set of these parameters, as a query string."""
    return [
        "&".join(f"{name}=true" if "=" not in name else name for name in chosen)
        for size in range(len(flags) + 1)
        for chosen in itertools.combinations(flags, size)
    ]


def requests(crowd: Crowd) -> dict[str, Request]:
    """All requests, by a name that does not change from node to node."""
    bob, rita, old = crowd.bob.id, crowd.rita.id, crowd.post_id(5_000)
    paths = {
        f"/api/v1/timelines/{kind}?{query}"
        for kind in ("public", "tag/loud", "tag/fog")
        for query in _combinations("local", "only_media")
    }
    paths |= {f"/api/v1/timelines/public?{query}" for query in _combinations("remote", "only_media")}
    statuses = _combinations("only_media", "exclude_replies", "exclude_reblogs", "tagged=fog")
    api = [(path.rstrip("?"), path.rstrip("?")) for path in sorted(paths)]
    api += [
        (f"/api/v1/accounts/{name}/statuses?{query}", f"/api/v1/accounts/{id_}/statuses?{query}")
        for name, id_ in (("bob", bob), ("rita", rita))
        for query in [*statuses, "pinned=true"]
    ]
    for part in ("max_id", "min_id", "since_id"):
        api += [
            (f"{path} {part}", f"{path}&{part}={old}")
            for path in (
                "/api/v1/timelines/tag/loud?only_media=true",
                "/api/v1/timelines/public?only_media=true",
                "/api/v1/timelines/tag/loud?local=true",
            )
        ]
        api.append((f"bob's photos {part}", f"/api/v1/accounts/{bob}/statuses?only_media=true&{part}={old}"))
    api += [
        (f"{name} of {who}", f"/api/v1/{name.format(id_)}")
        for name, who, id_ in (
            ("accounts/{}/followers", "bob", bob),
            ("accounts/{}/following", "bob", bob),
            ("statuses/{}/context", "root", crowd.root),
            ("statuses/{}/favourited_by", "famous", crowd.famous),
            ("statuses/{}/reblogged_by", "famous", crowd.famous),
            ("statuses/{}/context", "a comment", crowd.post_id(109)),
            ("statuses/{}", "famous", crowd.famous),
        )
    ]
    made = {name: Request(path) for name, path in api}
    made |= {f"{name} (alice)": Request(path, "app") for name, path in api}
    for part in ("max_id", "min_id", "since_id"):
        made[f"home {part}"] = Request(f"/api/v1/timelines/home?{part}={old}", "app")
    made |= {
        path: Request(path, "app")
        for path in (
            "/api/v1/timelines/home",
            "/api/v1/notifications",
            "/api/v1/notifications?types[]=mention",
            "/api/v1/notifications?exclude_types[]=favourite",
            "/api/v1/notifications/unread_count",
            "/api/v1/favourites",
            "/api/v1/bookmarks",
            "/api/v1/blocks",
            "/api/v1/mutes",
            "/api/v1/follow_requests",
            "/api/v1/accounts/verify_credentials",
            "/api/v2/search?q=fog",
            "/api/v2/search?q=nowhere",
            "/api/v2/search?q=f&type=accounts",
            "/api/v2/search?q=flood&type=hashtags",
            "/api/v2/search?q=fog&type=accounts&following=true",
            "/api/v1/instance",
            "/api/v2/instance",
        )
    }
    found = "/api/v2/search?q=lake&type=statuses"
    made["older posts found"] = Request(f"{found}&max_id={old}", "app")
    for name, id_ in (("bob", bob), ("rita", rita), ("alice", crowd.alice.id)):
        made[f"posts found of {name}"] = Request(f"{found}&account_id={id_}", "app")
    for part in ("any[]=fog", "all[]=fog", "none[]=loud", "remote=true", "remote=true&only_media=true"):
        path = f"/api/v1/timelines/tag/loud?{part}"
        made[path], made[f"{path} (alice)"] = Request(path), Request(path, "app")
    pages = [
        ("/", "/"),
        ("/explore", "/explore"),
        ("/explore/network", "/explore/network"),
        ("/explore/tags", "/explore/tags"),
        ("/tags/loud", "/tags/loud"),
        ("/tags/loud older", f"/tags/loud?max_id={old}"),
        ("/tags/fog", "/tags/fog"),
        ("/@bob", "/@bob"),
        ("/@bob/all", "/@bob/all"),
        ("/@bob/followers", "/@bob/followers"),
        ("/@rita", f"/@{crowd.rita.handle}"),
        ("/@rita/all", f"/@{crowd.rita.handle}/all"),
        ("a post with many comments", f"/p/bob/{crowd.root}"),
        ("a comment", f"/p/bob/{crowd.post_id(105)}"),
        ("a famous post", f"/p/bob/{crowd.famous}"),
        ("/search fog", "/search?q=fog"),
        ("/search f", "/search?q=f"),
        ("/search nowhere", "/search?q=nowhere"),
        ("/about", "/about"),
    ]
    made |= {name: Request(path) for name, path in pages}
    made |= {f"{name} (alice)": Request(path, "page") for name, path in pages}
    made |= {
        path: Request(path, "page")
        for path in (
            "/notifications",
            "/notifications/comments",
            "/bookmarks",
            "/follow-requests",
            "/admin/people",
            "/admin/sign-ups",
            "/admin/jobs",
            "/admin/deliveries",
            "/admin/log",
            "/admin/servers",
            "/admin/servers?q=s1",
            "/admin/servers/s1.example",
            "/admin/reports",
        )
    }
    users = f"/users/{crowd.bob.name}"
    for kind in ("outbox", "followers", "following", "collections/featured"):
        made[f"bob's {kind}"] = Request(f"{users}/{kind}", "server")
        made[f"bob's {kind}, first page"] = Request(f"{users}/{kind}?page=true", "server")
    for name, id_ in (("root", crowd.root), ("famous", crowd.famous)):
        for kind in ("replies", "context", "likes", "shares"):
            made[f"{kind} of {name}"] = Request(f"/p/bob/{id_}/{kind}", "server")
            made[f"{kind} of {name}, first page"] = Request(f"/p/bob/{id_}/{kind}?page=true", "server")
    for tag in ("loud", "fog"):
        made[f"#{tag}"] = Request(f"/tags/{tag}", "server")
        made[f"#{tag}, first page"] = Request(f"/tags/{tag}?page=true", "server")
    made["actor"] = Request(users, "server")
    made["NodeInfo"] = Request("/nodeinfo/2.1", "server")
    return made
