"""Parameters are parsed alike from query, form, multipart and JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.errors import Invalid
from web.api import params


def multipart(*parts: tuple[str, str | bytes]) -> tuple[str, bytes]:
    body = b""
    for name, value in parts:
        extra = '; filename="a.jpg"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else value.encode()
        body += (
            f'--xyz\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + data + b"\r\n"
        )
    return "multipart/form-data; boundary=xyz", body + b"--xyz--\r\n"


def every_way(values: list[tuple[str, str]], as_json: object) -> list[params.Params]:
    from urllib.parse import urlencode

    query = urlencode(values).encode()
    kind, body = multipart(*values)
    return [
        params.parse_request(query, "", b""),
        params.parse_request(query, "application/json", b"{}"),
        params.parse_request(b"", "application/x-www-form-urlencoded", query),
        params.parse_request(b"", kind, body),
        params.parse_request(b"", "application/json; charset=utf-8", json.dumps(as_json).encode()),
        params.parse_request(b"", "", json.dumps(as_json).encode()),
    ]


def test_one_value_reads_alike_from_query_form_multipart_and_json() -> None:
    ways = every_way([("status", "Grüße"), ("sensitive", "true")], {"status": "Grüße", "sensitive": True})
    for found in ways:
        assert found.text("status") == "Grüße"
        assert found.flag("sensitive") is True
        assert found.text("spoiler_text") == ""
        assert "spoiler_text" not in found


def test_a_list_reads_alike_with_brackets_with_indices_and_from_json() -> None:
    ways = every_way([("media_ids[]", "2"), ("media_ids[]", "1")], {"media_ids": ["2", 1]})
    ways += every_way([("media_ids[0]", "2"), ("media_ids[1]", "1")], {"media_ids": [2, "1"]})
    for found in ways:
        assert found.ids("media_ids") == [2, 1]


def test_small_objects_read_alike_from_a_form_and_from_json() -> None:
    values = [("a[][id]", "1"), ("a[][description]", "x"), ("a[][id]", "2"), ("a[][description]", "y")]
    for found in every_way(values, {"a": [{"id": 1, "description": "x"}, {"id": "2", "description": "y"}]}):
        assert found.objects("a") == [{"id": "1", "description": "x"}, {"id": "2", "description": "y"}]


def test_the_body_goes_before_the_query() -> None:
    assert params.parse_request(b"a=1&b=1", "application/json", b'{"a": 2}').text("a") == "2"


def test_a_file_is_its_bytes_whatever_it_is_called() -> None:
    kind, body = multipart(("file", b"\x00\xff--xy\r\n--xyzz"), ("description", "a lake"))
    found = params.parse_request(b"", kind, body)
    assert found.upload("file") == b"\x00\xff--xy\r\n--xyzz"
    assert found.text("file") == ""
    assert found.text("description") == "a lake"


def test_an_id_of_zero_is_no_id() -> None:
    found = params.parse_request(b"max_id=0&min_id=12&since_id=abc", "", b"")
    assert (found.id("max_id"), found.id("min_id"), found.id("since_id")) == (None, 12, None)


def test_numbers_stay_within_their_bounds() -> None:
    found = params.parse_request(b"limit=1000&b=-5&c=x", "", b"")
    assert found.number("limit", 20, minimum=1, maximum=40) == 40
    assert found.number("b", 20, minimum=1, maximum=40) == 1
    assert found.number("c", 20) == 20


@pytest.mark.parametrize("body", [b"false", b"null", b"3", b'"x"', b"[1]"])
def test_json_that_is_no_object_counts_as_nothing(body: bytes) -> None:
    assert params.parse_request(b"a=1", "application/json", body).text("a") == "1"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b'{"a":' * 50 + b"1" + b"}" * 50),
        ("multipart/form-data; boundary=xyz", b"--xyz\r\nnothing"),
        ("multipart/form-data", b"--xyz\r\n"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 2000)),
    ],
)
def test_an_unreadable_body_is_refused_with_a_message(kind: str, body: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        params.parse_request(b"", kind, body)
    assert refusal.value.message.endswith(".")


@example(body=b'"\x80"', kind="application/json")
@given(st.binary(max_size=300), st.sampled_from(["application/json", "multipart/form-data; boundary=a", ""]))
def test_no_bytes_raise_anything_but_invalid(body: bytes, kind: str) -> None:
    try:
        found = params.parse_request(body[:50], kind, body)
    except Invalid:
        return
    found.text("a")
    found.objects("a")
    found.ids("a")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"media_ids": []}'),
        ("application/json", b'{"media_ids": null}'),
        ("application/json", b'{"media_ids": ""}'),
        ("application/json", b'{"media_ids": {}}'),
        ("application/x-www-form-urlencoded", b"media_ids[]="),
        ("application/x-www-form-urlencoded", b"media_ids[]"),
        ("application/x-www-form-urlencoded", b"media_ids="),
        multipart(("media_ids[]", "")),
    ],
)
def test_an_empty_list_is_a_value_however_it_is_sent(kind: str, body: bytes) -> None:
    found = params.parse_request(b"", kind, body)
    assert "media_ids" in found
    assert found.ids("media_ids") == []
    assert found.all_ids("media_ids") == []


def test_null_is_a_value_that_is_empty() -> None:
    body = (
        b'{"text": null, "flag": null, "id": null, "n": null, "objects": [{"id": "1", "description": null}]}'
    )
    found = params.parse_request(b"text=query", "application/json", body)
    assert "text" in found
    assert (found.text("text"), found.flag("flag"), found.id("id"), found.number("n", 7)) == (
        "",
        False,
        None,
        7,
    )
    assert found.objects("objects") == [{"id": "1", "description": ""}]


def test_false_is_a_value() -> None:
    found = params.parse_request(b"", "application/json", b'{"a": false, "b": 0}')
    assert (found.flag("a", True), found.flag("b", True)) == (False, False)


@given(st.lists(st.one_of(st.integers(1, 2**63 - 1), st.none(), st.just("")), max_size=5))
def test_a_json_list_of_any_length_reads_like_the_same_list_in_a_form(values: list[object]) -> None:
    as_json = params.parse_request(b"", "application/json", json.dumps({"ids": values}).encode())
    form = "&".join(f"ids[]={'' if value is None else value}" for value in values) or "ids[]="
    as_form = params.parse_request(b"", "application/x-www-form-urlencoded", form.encode())
    assert "ids" in as_json
    assert "ids" in as_form
    assert as_json.ids("ids") == as_form.ids("ids")


@pytest.mark.parametrize("value", ["abc", "1x", "0", "-4", "١", "9" * 20, '{"a": 1}'])
def test_an_id_that_cannot_exist_is_never_left_out_of_a_list_that_must_be_whole(value: str) -> None:
    found = params.parse_request(b"", "application/json", json.dumps({"media_ids": ["5", value]}).encode())
    with pytest.raises(Invalid):
        found.all_ids("media_ids")


@pytest.mark.parametrize("entry", [[], [1], ["5"], {}, {"id": "5"}], ids=repr)
def test_what_is_nested_in_a_list_of_ids_does_not_make_it_empty(entry: object) -> None:
    found = params.parse_request(b"", "application/json", json.dumps({"media_ids": [entry]}).encode())
    with pytest.raises(Invalid):
        found.all_ids("media_ids")


@pytest.mark.parametrize(
    ("value", "bound"),
    [
        ("1" + "0" * 19, 2**63 - 1),
        ("9" * 5000, 2**63 - 1),
        (str(2**63), 2**63 - 1),
        (str(2**63 - 1), 2**63 - 1),
        ("000" + "7" * 18, int("7" * 18)),
        ("-" + "9" * 30, -(2**63 - 1)),
    ],
)
def test_an_id_with_any_number_of_digits_is_a_bound(value: str, bound: int) -> None:
    assert params.parse_request(f"min_id={value}".encode(), "", b"").id("min_id") == bound


@pytest.mark.parametrize(
    "pairs",
    [
        [("a[][id]", "1"), ("a[][description]", "x"), ("a[][id]", "2"), ("a[][focus]", "0,1")],
        [("a[0][id]", "1"), ("a[0][description]", "x"), ("a[1][id]", "2"), ("a[1][focus]", "0,1")],
        [("a[0][id]", "1"), ("a[1][id]", "2"), ("a[1][focus]", "0,1"), ("a[0][description]", "x")],
        [("a[7][id]", "1"), ("a[7][description]", "x"), ("a[9][id]", "2"), ("a[9][focus]", "0,1")],
    ],
)
def test_objects_with_different_keys_are_not_mixed_up(pairs: list[tuple[str, str]]) -> None:
    wanted = [{"id": "1", "description": "x"}, {"id": "2", "focus": "0,1"}]
    as_json = {"a": [{"id": 1, "description": "x"}, {"id": 2, "focus": "0,1"}]}
    for found in every_way(pairs, as_json):
        assert found.objects("a") == wanted
