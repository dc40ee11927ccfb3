"""Every look has its name and its note where translators find them."""

from __future__ import annotations

from media.editing.looks import LOOKS
from web.request.look_texts import LOOK_TEXTS


def test_the_texts_are_those_of_the_looks() -> None:
    assert {look.id: (look.name, look.note) for look in LOOKS.values()} == LOOK_TEXTS
