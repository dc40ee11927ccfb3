"""Messages of scripts: translated, complete, and safe inside a page."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from web.files.asset_urls import STATIC_FOLDER
from web.i18n.js_messages import collect_messages, to_script_json


def test_every_message_is_translated() -> None:
    messages = collect_messages(lambda message: f"<{message}>")

    keys = messages.pop("keys")
    assert isinstance(keys, list)
    texts = [*messages.values(), *(text for _key, text in keys)]
    assert all(str(text).startswith("<") for text in texts)


def test_scripts_use_no_message_that_is_missing() -> None:
    scripts = "".join(path.read_text() for path in (STATIC_FOLDER / "js").rglob("*.js"))
    used = set(re.findall(r"\bwords\.(\w+)", scripts))

    urls = {"icons", "blank"}  # `web.html.templates` adds them
    assert used - urls <= set(collect_messages(str))


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text()
        | st.sampled_from(["</script>", "<!--", "&lt;"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_no_value_ends_its_script_element(value: object) -> None:
    text = str(to_script_json(value))

    assert not re.search("[<>&]", text)
    assert json.loads(text) == value
