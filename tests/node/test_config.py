"""Options: the file and the environment; unknown ones are refused with the line and the nearest known key."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from node import config
from node.config import BadConfig, Config, DatabaseOptions, NodeOptions


def test_without_a_file_the_defaults_and_the_environment_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    options = config.load(environ={"TINTYPE_NODE_TITLE": "Club", "PATH": "/bin"})

    assert options == Config(node=NodeOptions(title="Club"))
    assert options.server.bind == ("127.0.0.1:8080",)
    assert options.database.url == "sqlite:data/tintype.db"


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('[node]\ndomain = "a.test:8443"\n[server]\nbind = ["127.0.0.1:1", "[::1]:1"]\n')
    environ = {
        "TINTYPE_CONFIG": str(file),
        "TINTYPE_SERVER_BIND": "0.0.0.0:80, [::]:80",
        "TINTYPE_FEDERATION_ALLOW_PRIVATE_ADDRESSES": "true",
        "TINTYPE_MEDIA_MAX_UPLOAD_MB": "7",
    }

    options = config.load(environ=environ)

    assert options.node.domain == "a.test:8443"
    assert options.server.bind == ("0.0.0.0:80", "[::]:80")
    assert options.federation.allow_private_addresses is True
    assert options.media.max_upload_mb == 7


def test_the_file_of_the_command_line_overrides_that_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[node]\ntitle = "Mine"\n')

    options = config.load(file, {"TINTYPE_CONFIG": str(tmp_path / "other.toml")})

    assert options.node.title == "Mine"


def test_a_secret_may_be_read_from_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://tintype:s3cret@db/tintype\n")

    options = config.load(environ={"TINTYPE_DATABASE_URL_FILE": str(file)})

    assert options.database.url == "postgresql://tintype:s3cret@db/tintype"
    assert "s3cret" not in repr(options)


@pytest.mark.parametrize(
    ("text", "environ", "message"),
    [
        ("\n[node]\ndomian = 'x'", {}, "line 3: [node] has no option domian. Did you mean domain?"),
        ("[sever]\n", {}, "line 1: there is no section [sever]. Did you mean server?"),
        ("[registration]\nmode = 'opne'", {}, "line 2: mode is 'opne'"),
        ("[registration]\nmode = 'opne'", {}, "Did you mean open?"),
        ("[server]\n\nbind = 8080", {}, "line 3: bind is 8080, but should be a list of strings"),
        ("[server]\nbind = ['8080']", {}, "line 2: bind has '8080'"),
        ("[server]\nbind = ['127.0.0.1:99999']", {}, "bind has '127.0.0.1:99999'"),
        ("[server]\nbind = []", {}, "at least one address"),
        ("[federation]\nallow_http = 'no'", {}, "line 2: allow_http is 'no', but should be true or false"),
        ("[media]\nmax_upload_mb = true", {}, "line 2: max_upload_mb is True, but should be a whole number"),
        ("[media]\nmax_upload_mb = 0", {}, "line 2: max_upload_mb should be between 1 and 1000"),
        ("[media]\nurl = 's3://bucket'", {}, "line 2: url is 's3://bucket'"),
        ("[node]\ndomain = 'https://photos.example'", {}, "line 2: domain is 'https://photos.example'"),
        ("[node]\nsecret = 'short'", {}, "line 2: secret should have at least 32 characters"),
        ("[server]\ntls_key = 'key.pem'", {}, "tls_certificate is missing"),
        ("[database]\nurl = 'mysql://x'", {}, "line 2: url should begin with 'sqlite:'"),
        ("node = 3", {}, "line 1: node is a section; write [node]"),
        ("server.bnd = ['x:1']", {}, "line 1: [server] has no option bnd. Did you mean bind?"),
        ("[node", {}, "config.toml: this is not TOML"),
        (
            "",
            {"TINTYPE_SERVER_BIN": "x"},
            "TINTYPE_SERVER_BIN, which is no option. Did you mean TINTYPE_SERVER_B",
        ),
        ("", {"TINTYPE_MEDIA_MAX_UPLOAD_MB": "lots"}, "TINTYPE_MEDIA_MAX_UPLOAD_MB is 'lots'"),
        ("", {"TINTYPE_FEDERATION_SECURE_MODE": "maybe"}, "TINTYPE_FEDERATION_SECURE_MODE is 'maybe'"),
        ("", {"TINTYPE_NODE_SECRET_FILE": "/nowhere"}, "TINTYPE_NODE_SECRET_FILE: /nowhere cannot be read"),
        ("", {"TINTYPE_NODE_TITLE_FILE": "/nowhere"}, "TINTYPE_NODE_TITLE_FILE, which is no option"),
        ("", {"TINTYPE_NODE_SECRET": "x", "TINTYPE_NODE_SECRET_FILE": "y"}, "keep one"),
    ],
)
def test_a_wrong_option_is_refused_with_its_place(
    text: str, environ: Mapping[str, str], message: str
) -> None:
    with pytest.raises(BadConfig) as refused:
        config.parse(text, environ)

    assert message in str(refused.value)


def test_a_named_config_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="There is no config file"):
        config.load(tmp_path / "nowhere.toml", {})


def test_a_domain_is_normalized() -> None:
    options = config.parse('[node]\ndomain = "Bücher.Example:8443"')

    assert options.node.domain == "xn--bcher-kva.example:8443"


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    options = Config(database=DatabaseOptions(url=f"sqlite:{tmp_path}/data/tintype.db"))

    first = config.load_secret(options)

    file = tmp_path / "data" / "secret"
    assert len(first) >= 32
    assert config.load_secret(options) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret"]


def test_a_secret_file_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    options = Config(database=DatabaseOptions(url=f"sqlite:{tmp_path}/tintype.db"))
    (tmp_path / "secret").write_text("")

    with pytest.raises(BadConfig, match="restore it from a backup"):
        config.load_secret(options)
