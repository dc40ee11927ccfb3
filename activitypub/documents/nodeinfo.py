"""NodeInfo 2.0 and 2.1 (FEP-0151): the documents that describe this node to crawlers."""

from __future__ import annotations

from typing import Any

from node.admin.statistics import Statistics
from node.config import Config
from node.database import Site
from node.version import VERSION

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
VERSIONS = ("2.0", "2.1")


def content_type(version: str) -> str:
    return f'application/json; profile="{SCHEMA}{version}#"'


def links(site: Site) -> dict[str, Any]:
    """Returns the links to both versions, the older first: some readers only take the first."""
    return {
        "links": [
            {"rel": f"{SCHEMA}{version}", "href": site.uri(f"/nodeinfo/{version}")} for version in VERSIONS
        ]
    }


def document(config: Config, version: str, numbers: Statistics) -> dict[str, Any]:
    software: dict[str, Any] = {"name": "tintype", "version": VERSION}
    if version != "2.0" and config.node.source_url:
        software["repository"] = software["homepage"] = config.node.source_url
    return {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": config.registration.mode in ("open", "approval"),
        "usage": {
            "users": {
                "total": numbers.people,
                "activeMonth": numbers.active_month,
                "activeHalfyear": numbers.active_half_year,
            },
            "localPosts": numbers.posts,
        },
        "metadata": {
            "nodeName": config.node.title,
            "nodeDescription": config.node.description,
        },
    }
