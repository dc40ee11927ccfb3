"""The commands: `tintype serve`, `worker`, `migrate`, `check`, `account …`, `token …`.

The one module of `node` that may know `web` and `activitypub`; it imports them when a command needs
them, and nothing imports it. What an admin can get wrong is answered in one sentence, without a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from node import config
from node.accounts import keys
from node.auth import access_tokens, passwords, users
from node.cli import control_socket
from node.cli.commands import packed
from node.config import BadConfig, Config
from node.database import migrate
from node.database.lock import InUse
from node.database.migrate import TooNew
from node.errors import Refused
from node.text import display_names
from node.version import VERSION

T = TypeVar("T")

BAD_USE = 2


class Stop(Exception):
    """The command cannot go on; the text is the one line that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 refused, 2 not understood."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(
        level=getattr(asked, "log_level", logging.INFO),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        options = config.load(getattr(asked, "config", None))
        return int(asked.run(options, asked) or 0)
    except BadConfig as bad:
        return _say(str(bad), BAD_USE)
    except (Stop, TooNew, InUse) as stop:
        return _say(str(stop))
    except Refused as refused:
        return _say(refused.message if not refused.detail else f"{refused.message} ({refused.detail})")
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _say(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")


def _say(sentence: str, code: int = 1) -> int:
    print(f"tintype: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    everywhere = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    everywhere.add_argument("--config", metavar="FILE", help="the config file (default: config.toml)")
    parser = argparse.ArgumentParser(
        prog="tintype", description="A photo-sharing node for the fediverse.", parents=[everywhere]
    )
    parser.add_argument("--version", action="version", version=f"Tintype {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        within: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        run: Callable[[Config, argparse.Namespace], int | None],
        words: str,
    ) -> argparse.ArgumentParser:
        made = within.add_parser(name, help=words, description=words, parents=[everywhere])
        made.set_defaults(run=run)
        return made

    command(commands, "serve", _serve, "Serve the node to people and to other servers.")
    command(commands, "worker", _worker, "Do the node's jobs in a process of their own (PostgreSQL).")
    command(commands, "migrate", _migrate, "Bring the database up to date.")
    check = command(commands, "check", _check, "Is the node sound? Looks at every part, and from outside.")
    check.set_defaults(log_level=logging.WARNING)

    account = commands.add_parser("account", help="Create and look after people.", parents=[everywhere])
    deeds = account.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = command(deeds, "create", _account_create, "Create an account that can sign in.")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--email", required=True)
    create.add_argument("--role", choices=users.ROLES, default="user")
    password = command(deeds, "password", _account_password, "Set someone's password; signs them out.")
    password.add_argument("name", metavar="NAME")
    for made in (create, password):
        made.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of input"
        )
    rotate = command(deeds, "rotate-keys", _account_rotate_keys, "Give someone new signing keys.")
    rotate.add_argument("name", metavar="NAME")
    command(deeds, "list", _account_list, "List the people of this node.")

    token = commands.add_parser("token", help="Let an app act for someone.", parents=[everywhere])
    deeds = token.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = command(deeds, "create", _token_create, "Make a bearer token and print it, this once.")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--scopes", default="read", help='such as "read write follow" (default: read)')
    create.add_argument("--app", default="tintype token", help="what the app is called")
    return parser


def _serve(options: Config, asked: argparse.Namespace) -> None:
    from web.server import serve

    _in_words(lambda: serve.run(options))


def _worker(options: Config, asked: argparse.Namespace) -> None:
    if options.database.url.startswith("sqlite:"):
        raise Stop(
            "With SQLite one process does both: `tintype serve` runs the jobs beside the web, because only "
            "one may write the file. A worker of its own needs PostgreSQL ([database] url)."
        )
    from web import wiring

    async def work() -> None:
        node = await wiring.open_node(options)
        try:
            doing = asyncio.create_task(wiring.make_worker(node).run(alone=False))
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, doing.cancel)
            await asyncio.gather(doing, return_exceptions=True)
        finally:
            await node.close()

    wiring.collect_seldom()
    _in_words(lambda: asyncio.run(work()))


def _migrate(options: Config, asked: argparse.Namespace) -> None:
    number = _do(options, "migration")
    if options.database.url.startswith("sqlite:") and number < migrate.files("sqlite")[-1][0]:
        raise Stop(
            f"A node of an older version is running, at migration {number:04}. Stop it first; "
            "`tintype serve` brings the database up to date when it starts."
        )
    print(f"The database is up to date, at migration {number:04}.")


def _check(options: Config, asked: argparse.Namespace) -> int:
    async def look() -> int:
        from web import health_check

        bad = 0
        async for finding in health_check.run(options):
            bad += not finding.is_sound
            print(f"{'ok  ' if finding.is_sound else 'BAD '} {finding.name:<11}{finding.words}", flush=True)
        print("The node is sound." if not bad else f"{bad} of these need attention.")
        return 1 if bad else 0

    return _in_words(lambda: asyncio.run(look()))


def _account_create(options: Config, asked: argparse.Namespace) -> None:
    display_names.check_name(asked.name)
    users.normal_email(asked.email)
    hashed = passwords.hash_now(_password(asked))
    handle = _do(
        options,
        "account create",
        name=asked.name,
        email=asked.email,
        password_hash=hashed,
        pair=packed(keys.generate()),
        role=asked.role,
    )
    print(f"@{handle} can sign in now, as {asked.role}.")


def _account_password(options: Config, asked: argparse.Namespace) -> None:
    _do(options, "account find", name=asked.name)
    hashed = passwords.hash_now(_password(asked))
    _do(options, "account password", name=asked.name, password_hash=hashed)
    print(f"{asked.name} has a new password and is signed out everywhere.")


def _account_rotate_keys(options: Config, asked: argparse.Namespace) -> None:
    _do(options, "account find", name=asked.name)
    handle = _do(options, "account rotate-keys", name=asked.name, pair=packed(keys.generate()))
    print(f"@{handle} signs with new keys from now on; other servers are being told.")


def _account_list(options: Config, asked: argparse.Namespace) -> None:
    people: list[dict[str, Any]] = []
    while part := _do(options, "account list", max_id=people[-1]["id"] if people else 0):
        people += part
    for person in reversed(people):
        since = datetime.fromtimestamp(person["created_at"] / 1000, UTC).date()
        print(
            f"{person['name']:<31}{person['role']:<11}{person['state']:<11}{since}  "
            f"{person['posts']:>6} posts  {person['email']}"
        )
    if not people:
        print("Nobody yet. `tintype account create NAME --email E --role admin` makes the first one.")


def _token_create(options: Config, asked: argparse.Namespace) -> None:
    scopes = sorted(access_tokens.parse_scopes(asked.scopes))
    print(_do(options, "token create", name=asked.name, scopes=scopes, app=asked.app))


def _password(asked: argparse.Namespace) -> str:
    if asked.password_stdin:
        return passwords.check(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise Stop("Please give the password with --password-stdin, or run this in a terminal.")
    first = passwords.check(getpass.getpass("Password: "))
    if getpass.getpass("Once more: ") != first:
        raise Stop("The two passwords are not the same.")
    return first


def _do(options: Config, name: str, /, **values: Any) -> Any:
    """A command on the node's database, wherever it is open."""
    return _in_words(lambda: asyncio.run(control_socket.run(options, name, **values)))


def _in_words(deed: Callable[[], T]) -> T:
    """Do it; a database that cannot be reached is a sentence, not a traceback."""
    import sqlite3

    try:
        return deed()
    except sqlite3.OperationalError as error:
        raise Stop(f"The database cannot be used: {error}.") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] in ("psycopg", "psycopg_pool"):
            raise Stop(f"The database cannot be used: {' '.join(str(error).split())}") from error
        raise


if __name__ == "__main__":
    sys.exit(main())
