"""The instance, in both versions of the entity."""

from __future__ import annotations

from node.models.account import Account
from tests.support.asgi import Client
from tests.web.api.conftest import App


async def test_both_forms_describe_the_same_node(app: App, anonymous: Client, alice: Account) -> None:
    await app(alice)
    first = (await anonymous.get("/api/v1/instance")).json
    second = (await anonymous.get("/api/v2/instance")).json
    assert first["uri"] == second["domain"] == "tintype.test"
    assert first["title"] == second["title"] == "Test"
    assert first["version"] == second["version"]
    assert first["stats"]["user_count"] == 1
    assert first["configuration"]["statuses"] == second["configuration"]["statuses"]
    assert first["configuration"]["statuses"]["max_media_attachments"] == 20
    assert "image/heic" in second["configuration"]["media_attachments"]["supported_mime_types"]
    assert second["registrations"]["enabled"] is True
    assert first["registrations"] is True
    assert "streaming" not in second["configuration"]["urls"]
