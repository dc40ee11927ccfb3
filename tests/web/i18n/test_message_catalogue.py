"""The template for translators, `web/locale/messages.pot`, holds every text of the code and no other."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[3]
CATALOGUE = "web/locale/messages.pot"


def message_ids(path: Path) -> set[str]:
    with path.open("rb") as file:
        return {str(message.id) for message in read_po(file) if message.id}


def test_the_catalogue_is_what_the_command_in_babel_cfg_makes(tmp_path: Path) -> None:
    header = "".join(re.findall(r"^#(.*)$", (ROOT / "babel.cfg").read_text(), re.MULTILINE))
    found = re.search(r"pybabel (extract .+?) \.", header.replace("\\", " "))
    assert found is not None
    made = tmp_path / "messages.pot"
    words = [str(made) if word == CATALOGUE else word for word in shlex.split(found[1])]

    subprocess.run(
        [Path(sys.executable).parent / "pybabel", "--quiet", *words, "."], cwd=ROOT, check=True, timeout=120
    )

    assert message_ids(ROOT / CATALOGUE) == message_ids(made), "run the command in babel.cfg"


def test_no_text_of_the_catalogue_is_two_texts() -> None:
    """A condition between two texts in one call is extracted as both at once, which nobody can translate."""
    joined = [text for text in message_ids(ROOT / CATALOGUE) if re.search(r"[a-z][.!?][A-Z]", text)]

    assert not joined
