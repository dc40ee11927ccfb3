"""The commands: `tintype serve`, `worker`, `migrate`, `check`, `account …`, `token …`.

The one module of `node` that may import `web` and `activitypub`; it does so when a command needs them, and
nothing imports it. An error that an admin can correct is one line on standard error, without a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from node import config
from node.accounts import keys
from node.auth import addresses, password_strength, passwords, users
from node.auth.oauth import scopes as oauth_scopes
from node.cli import control_socket, termination
from node.cli.commands import pack_keys
from node.config import BadConfig, Config
from node.database import migrate
from node.database.lock import DatabaseInUse
from node.database.migrate import DatabaseTooNew
from node.errors import DatabaseUnavailable, Refused
from node.ids import parse_id
from node.text import display_names
from node.version import VERSION

T = TypeVar("T")

EXIT_USAGE = 2


class CommandError(Exception):
    """The command cannot continue; the text is the one line that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code: 0 done, 1 refused, 2 not understood, 130 interrupted."""
    parsed = _parser().parse_args(arguments)
    logging.basicConfig(
        level=getattr(parsed, "log_level", logging.INFO),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        options = config.load(getattr(parsed, "config", None))
        return int(parsed.run(options, parsed) or 0)
    except BadConfig as bad:
        return _print_error(str(bad), EXIT_USAGE)
    except (CommandError, DatabaseTooNew, DatabaseInUse) as stop:
        return _print_error(str(stop))
    except Refused as refused:
        return _print_error(
            refused.message if not refused.detail else f"{refused.message} ({refused.detail})"
        )
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        return _print_error(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")


def _print_error(message: str, code: int = 1) -> int:
    print(f"tintype: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    shared_options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    shared_options.add_argument("--config", metavar="FILE", help="the config file (default: config.toml)")
    parser = argparse.ArgumentParser(
        prog="tintype", description="A photo-sharing node for the fediverse.", parents=[shared_options]
    )
    parser.add_argument("--version", action="version", version=f"Tintype {VERSION}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(
        within: argparse._SubParsersAction[argparse.ArgumentParser],
        name: str,
        run: Callable[[Config, argparse.Namespace], int | None],
        summary: str,
    ) -> argparse.ArgumentParser:
        subparser = within.add_parser(name, help=summary, description=summary, parents=[shared_options])
        subparser.set_defaults(run=run)
        return subparser

    command(commands, "serve", _serve, "Start the web server and the job worker.")
    command(commands, "worker", _worker, "Start a separate job worker (PostgreSQL only).")
    command(commands, "migrate", _migrate, "Run pending database migrations.")
    check = command(commands, "check", _check, "Check the configuration, database, storage and federation.")
    check.set_defaults(log_level=logging.WARNING)

    account = commands.add_parser("account", help="Manage local accounts.", parents=[shared_options])
    subcommands = account.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def of_account(
        name: str,
        run: Callable[[Config, argparse.Namespace], int | None],
        summary: str,
        help_: str | None = None,
    ) -> argparse.ArgumentParser:
        subparser = command(subcommands, name, run, summary)
        subparser.add_argument("name", metavar="NAME", help=help_)
        return subparser

    create = of_account("create", _account_create, "Create a local account.")
    create.add_argument("--email", required=True)
    create.add_argument("--role", choices=users.ROLES, default="user")
    password = of_account("password", _account_password, "Set a new password; end sessions and apps.")
    password.add_argument("--keep-apps", action="store_true", help="do not revoke the access tokens of apps")
    for subparser in (create, password):
        subparser.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of input"
        )
    of_account("link", _account_link, "Print a link with which somebody sets a new password, once.")
    of_account("rotate-keys", _account_rotate_keys, "Replace the signing keys of an account.")
    role = of_account("role", _account_role, "Make somebody a user, moderator or admin.")
    role.add_argument("role", choices=users.ROLES)
    anywhere = "a username, or the handle of a remote account"
    of_account("suspend", _account_suspend, "Hide an account and sign it out.", anywhere)
    of_account("unsuspend", _account_unsuspend, "End the suspension of an account.", anywhere)
    delete = of_account("delete", _account_delete, "Delete an account with all its posts, for good.")
    delete.add_argument("--yes", action="store_true", help="do not ask for the name again")
    of_account("sessions", _account_sessions, "List where somebody is signed in.")
    of_account("two-step-off", _account_two_step_off, "Turn two-step sign-in off: phone and codes are lost.")
    unlock = of_account("unlock", _account_unlock, "Let somebody sign in again after too many attempts.")
    unlock.add_argument("--address", default="", help="their IP address: forget all attempts from there too")
    command(subcommands, "list", _account_list, "List local accounts.")

    token = commands.add_parser("token", help="Manage access tokens.", parents=[shared_options])
    subcommands = token.add_subparsers(title="commands", required=True, metavar="COMMAND")
    create = command(subcommands, "create", _token_create, "Create an access token and print it once.")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--scopes", default="read", help='such as "read write follow" (default: read)')
    create.add_argument("--app", default="tintype token", help="the name of the app")
    listing = command(subcommands, "list", _token_list, "List the access tokens of an account.")
    listing.add_argument("name", metavar="NAME")
    revoke = command(subcommands, "revoke", _token_revoke, "Revoke an access token.")
    revoke.add_argument("name", metavar="NAME")
    revoke.add_argument("id", metavar="ID", nargs="?", help="the number that `tintype token list` shows")
    revoke.add_argument("--all", action="store_true", help="revoke all tokens of the account")

    mail = commands.add_parser("mail", help="Try the mail server.", parents=[shared_options])
    subcommands = mail.add_subparsers(title="commands", required=True, metavar="COMMAND")
    test = command(subcommands, "test", _mail_test, "Send a test mail, and say what the mail server answers.")
    test.add_argument("address", metavar="ADDRESS")
    return parser


def _serve(options: Config, arguments: argparse.Namespace) -> None:
    from web.server import serve

    _explain_database_errors(lambda: serve.run(options))


def _worker(options: Config, arguments: argparse.Namespace) -> None:
    if options.database.url.startswith("sqlite:"):
        raise CommandError(
            "With SQLite one process does both: `tintype serve` runs the jobs beside the web, because only "
            "one may write the file. A worker of its own needs PostgreSQL ([database] url)."
        )
    from web import wiring

    async def work() -> None:
        node = await wiring.open_node(options)
        try:
            running = asyncio.create_task(wiring.create_worker(node).run(is_only_process=False))
            termination.on_signal(running.cancel)
            await asyncio.gather(running, return_exceptions=True)
        finally:
            await node.close()

    wiring.tune_garbage_collection()
    _explain_database_errors(lambda: asyncio.run(work()))


def _migrate(options: Config, arguments: argparse.Namespace) -> None:
    number = _run_command(options, "migration")
    if options.database.url.startswith("sqlite:") and number < migrate.files("sqlite")[-1][0]:
        raise CommandError(
            f"A node of an older version is running, at migration {number:04}. Stop it first; "
            "`tintype serve` brings the database up to date when it starts."
        )
    print(f"The database is up to date, at migration {number:04}.")


def _check(options: Config, arguments: argparse.Namespace) -> int:
    async def run_all() -> int:
        from web import health_check

        failures = 0
        async for finding in health_check.run_checks(options):
            failures += not finding.is_ok
            print(f"{'ok  ' if finding.is_ok else 'BAD '} {finding.name:<11}{finding.message}", flush=True)
        print("All checks passed." if not failures else f"Failed checks: {failures}.")
        return 1 if failures else 0

    return _explain_database_errors(lambda: asyncio.run(run_all()))


def _account_create(options: Config, arguments: argparse.Namespace) -> None:
    display_names.check_username(arguments.name)
    addresses.normalize_email(arguments.email)
    hashed = passwords.hash_sync(_password(options, arguments))
    handle = _run_command(
        options,
        "account create",
        name=arguments.name,
        email=arguments.email,
        password_hash=hashed,
        pair=pack_keys(keys.generate()),
        role=arguments.role,
    )
    print(f"@{handle} can sign in now, as {arguments.role}.")


def _account_password(options: Config, arguments: argparse.Namespace) -> None:
    _run_command(options, "account find", name=arguments.name)
    hashed = passwords.hash_sync(_password(options, arguments))
    _run_command(
        options,
        "account password",
        name=arguments.name,
        password_hash=hashed,
        keeps_apps=arguments.keep_apps,
    )
    ended = "in all browsers; apps stay signed in" if arguments.keep_apps else "in all browsers and apps"
    print(f"{arguments.name} has a new password and is signed out {ended}.")


def _account_link(options: Config, arguments: argparse.Namespace) -> None:
    print(_run_command(options, "account link", name=arguments.name))
    print("The link works once, within an hour. Send it to nobody else.", file=sys.stderr)


def _mail_test(options: Config, arguments: argparse.Namespace) -> None:
    from node.mail.smtp import MailRefused, MailUnavailable
    from web.mail import send_mail

    address = addresses.normalize_email(arguments.address)
    if not options.mail.url:
        raise CommandError("No mail server is configured: [mail] url in config.toml.")
    try:
        asyncio.run(send_mail.send_test(options, address))
    except (MailRefused, MailUnavailable) as failed:
        raise CommandError(f"The mail was not sent: {failed}") from failed
    print(f"The mail server has taken a mail to {address}. Whether it arrives, its inbox tells.")


def _account_rotate_keys(options: Config, arguments: argparse.Namespace) -> None:
    _run_command(options, "account find", name=arguments.name)
    handle = _run_command(
        options, "account rotate-keys", name=arguments.name, pair=pack_keys(keys.generate())
    )
    print(f"@{handle} has new keys; they are being sent to other servers.")


def _account_role(options: Config, arguments: argparse.Namespace) -> None:
    handle = _run_command(options, "account role", name=arguments.name, role=arguments.role)
    print(f"@{handle} is {arguments.role} now.")


def _account_suspend(options: Config, arguments: argparse.Namespace) -> None:
    print(f"@{_run_command(options, 'account suspend', name=arguments.name)} is suspended.")


def _account_unsuspend(options: Config, arguments: argparse.Namespace) -> None:
    print(f"@{_run_command(options, 'account unsuspend', name=arguments.name)} is not suspended any more.")


def _account_delete(options: Config, arguments: argparse.Namespace) -> None:
    name = _run_command(options, "account find", name=arguments.name)
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise CommandError("Pass --yes, or run this in a terminal.")
        if input(f"This cannot be undone. Type {name} to delete it with all its posts: ").strip() != name:
            raise CommandError("The names do not match. Nothing was deleted.")
    handle = _run_command(options, "account delete", name=name)
    print(f"@{handle} is deleted; its posts follow, and other servers are told.")


def _account_sessions(options: Config, arguments: argparse.Namespace) -> None:
    listed: list[dict[str, Any]] = _run_command(options, "account sessions", name=arguments.name)
    for one in listed:
        print(f"{_date(one['created_at'])}  last used {_date(one['seen_at'])}  {one['user_agent']}")
    if not listed:
        print(f"{arguments.name} is signed in nowhere.")


def _account_two_step_off(options: Config, arguments: argparse.Namespace) -> None:
    name = _run_command(options, "account two-step-off", name=arguments.name)
    print(f"{name} can sign in with the password alone.")


def _account_unlock(options: Config, arguments: argparse.Namespace) -> None:
    name = _run_command(options, "account unlock", name=arguments.name, address=arguments.address)
    print(f"{name} can try to sign in again.")


def _account_list(options: Config, arguments: argparse.Namespace) -> None:
    people: list[dict[str, Any]] = []
    while part := _run_command(options, "account list", max_id=people[-1]["id"] if people else 0):
        people += part
    for person in reversed(people):
        since = _date(person["created_at"])
        print(
            f"{person['name']:<31}{person['role']:<11}{person['state']:<11}{since}  "
            f"{person['posts']:>6} posts  {person['email']}"
        )
    if not people:
        print("No accounts yet. `tintype account create NAME --email E --role admin` creates the first one.")


def _token_create(options: Config, arguments: argparse.Namespace) -> None:
    scopes = sorted(oauth_scopes.parse_scopes(arguments.scopes))
    print(_run_command(options, "token create", name=arguments.name, scopes=scopes, app=arguments.app))


def _token_list(options: Config, arguments: argparse.Namespace) -> None:
    tokens: list[dict[str, Any]] = _run_command(options, "token list", name=arguments.name)
    for token in tokens:
        used = f"last used {_date(token['used_at'])}" if token["used_at"] else "never used"
        scopes = " ".join(token["scopes"])
        print(f"{token['id']}  {_date(token['created_at'])}  {used:<21}  {token['app']}  ({scopes})")
    if not tokens:
        print(f"No tokens of {arguments.name}.")


def _token_revoke(options: Config, arguments: argparse.Namespace) -> int:
    if arguments.all == (arguments.id is not None):
        return _print_error("Name one token by its ID, or pass --all.", EXIT_USAGE)
    id_ = 0 if arguments.all else parse_id(arguments.id) or -1
    number = _run_command(options, "token revoke", name=arguments.name, id=id_)
    print(f"Revoked {number} {'token' if number == 1 else 'tokens'} of {arguments.name}.")
    return 0


def _date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _password(options: Config, arguments: argparse.Namespace) -> str:
    def check(password: str) -> str:
        about = (arguments.name, getattr(arguments, "email", ""))
        return password_strength.check_new_sync(password, about, options.security.stolen_passwords)

    if arguments.password_stdin:
        return check(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise CommandError("Pass the password with --password-stdin, or run this in a terminal.")
    first = check(getpass.getpass("Password: "))
    if getpass.getpass("Repeat password: ") != first:
        raise CommandError("The passwords do not match.")
    return first


def _run_command(options: Config, name: str, /, **values: Any) -> Any:
    """Runs a command on the database: in the node that serves it, or in this process if none does."""
    return _explain_database_errors(lambda: asyncio.run(control_socket.run_command(options, name, **values)))


def _explain_database_errors(action: Callable[[], T]) -> T:
    """Runs the action; a database that cannot be reached raises CommandError, so it is no traceback."""
    import sqlite3

    try:
        return action()
    except DatabaseUnavailable as unavailable:
        raise CommandError(str(unavailable)) from unavailable
    except sqlite3.Error as error:
        raise CommandError(f"The database cannot be used: {error}.") from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "psycopg":
            raise CommandError(f"The database cannot be used: {' '.join(str(error).split())}") from error
        raise


def run() -> int:
    """Runs a command as a process of its own, which ends even if a thread hangs."""
    return termination.end_despite_threads(main())


if __name__ == "__main__":
    sys.exit(run())
