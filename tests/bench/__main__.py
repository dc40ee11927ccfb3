"""`make bench`: what things cost, each beside the limit of its pieces, measured in the same run.

Every module in this folder has `rows() -> list[tuple[work, measured, against]]` (it may be async). Each
runs in a process of its own, so that one's memory and threads do not weigh on another's. Arguments name
the modules to run; without any, all do.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from web import wiring

FOLDER = Path(__file__).parent
Rows = list[tuple[str, str, str]]


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def measure(name: str) -> Rows:
    """The rows of one module, in this process, which is set up as `tintype serve` sets up its own."""
    wiring.tune_garbage_collection()
    module = importlib.import_module(f"tests.bench.{name}")
    found = module.rows()
    return asyncio.run(found) if inspect.iscoroutine(found) else found


def apart(name: str) -> Rows | None:
    """The rows of one module, in a process of its own; None if that failed, with its error printed already."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as answer:
        run = subprocess.run([sys.executable, "-m", "tests.bench", "--one", name, answer.name], check=False)
        return json.load(answer) if run.returncode == 0 else None


def table(rows: Rows) -> str:
    """Rows as aligned columns."""
    lines = [("work", "measured", "against"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    lines.insert(1, ("-" * widths[0], "-" * widths[1], "-" * max(len(line[2]) for line in lines)))
    return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in lines)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--one"]:
        Path(arguments[2]).write_text(json.dumps(measure(arguments[1])))
        return 0
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}", flush=True
    )
    failed = []
    for name in arguments or names():
        print(f"\n{name}", flush=True)
        rows = apart(name)
        if rows is None:
            failed.append(name)
        else:
            print(table([(work, measured, against) for work, measured, against in rows]), flush=True)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
