"""Parsing untrusted JSON: the forms of every property, the limits, and rows E1, E5, E6, B11 and C13 of the security table."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activitypub import vocab
from activitypub.vocab import PUBLIC, Malformed
from activitypub.vocab.actors import RFC9421_URLS

BOB = "https://b.example/users/bob"


def a_note(**more: Any) -> vocab.Note:
    return vocab.parse_note({"id": "https://b.example/p/1", "type": "Note", "attributedTo": BOB, **more})


def an_actor(**more: Any) -> vocab.ActorDoc:
    return vocab.parse_actor(
        {"id": BOB, "type": "Person", "preferredUsername": "bob", "inbox": f"{BOB}/inbox", **more}
    )


def an_activity(**more: Any) -> vocab.Activity:
    return vocab.parse_activity({"id": "https://b.example/a/1", "type": "Like", "actor": BOB, **more})


# E1: bytes to a document.

HOSTILE = {
    "10 000 levels of lists": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10 000 levels of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "33 levels": b'{"a":' * 33 + b"1" + b"}" * 33,
    "a megabyte of brackets": b"[" * 1_048_576,
    "a megabyte of braces": b"{" * 1_048_576,
    "a million digits": b'{"a":' + b"9" * 1_000_000 + b"}",
    "a number beyond floats": b'{"a":1e999}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "a name twice": b'{"actor":"https://a.example/","actor":"https://b.example/"}',
    "a name twice, spelt differently": b'{"actor":1,"\\u0061ctor" :2}',
    "a name twice, deep": b'{"a":[{"b":{"c":1,"c":1}}]}',
    "a lone surrogate": b'{"a":"\\ud800"}',
    "a lone low surrogate": b'{"a":"\\udc00x"}',
    "an escaped NUL": b'{"a":["x\\u0000y"]}',
    "an escaped NUL in a name": b'{"a\\u0000":1}',
    "a NUL": b'{"a":"\x00"}',
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "bytes that are not UTF-8": b'{"a":"\xff\xfe"}',
    "more than 10 000 values": json.dumps({"a": list(range(10_001))}).encode(),
    "a megabyte of names": ("{" + ",".join(f'"{n}":0' for n in range(110_000)) + "}").encode(),
    "a megabyte of strings": json.dumps({"a": ["a"] * 200_000}).encode(),
    "a megabyte of floats": b'{"a":[' + b"1.5e300," * 130_000 + b"1]}",
    "a megabyte of objects": b'{"a":[' + b'[{"a":1}],' * 100_000 + b"1]}",
    "a megabyte of empty lists": b'{"a":[' + b"[]," * 340_000 + b"1]}",
    "a megabyte of quotes": b'{"a":"' + b'\\"' * 524_000,
    "nothing": b"",
    "a list": b"[1]",
    "a text": b'"x"',
    "two documents": b"{}{}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_json_is_refused_quickly(name: str) -> None:
    took = []
    for _ in range(3):
        start = time.process_time()
        with pytest.raises(Malformed):
            vocab.parse_json(HOSTILE[name])
        took.append(time.process_time() - start)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' * 31 + b"1" + b"}" * 31,
        b'{"a":"say \\"a\\":1, \\"a\\":2 {[,"}',
        b'{"a\\"b":1,"a":{"a":[{"a" :1},{"a"\n:2}]}}',
        b'{"a":"\\\\u0000 \\ud83d\\ude00","\\\\":"\\\\"}',
        json.dumps({"a": "x" * 900_000}).encode(),
        b'{"totalItems":1000000000000000000000000000000}',
    ],
)
def test_unusual_but_sound_json_is_read(body: bytes) -> None:
    assert vocab.parse_json(body) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"1.5e300," * 9_000 + b"1]}",
        b'{"a":[' + (b"0." + b"9" * 90 + b"e-300,") * 9_000 + b"1]}",
        b'{"a":"' + b'\\":' * 340_000 + b'"}',
        b'{"a":"' + b",[{" * 340_000 + b'"}',
    ],
)
def test_what_is_long_but_not_too_much_is_read_quickly(body: bytes) -> None:
    took = []
    for _ in range(3):
        start = time.process_time()
        with contextlib.suppress(Malformed):
            vocab.parse_json(body)
        took.append(time.process_time() - start)
    assert min(took) < 0.05


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=5) | st.dictionaries(st.text(), children, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=6), st.booleans())
def test_any_json_object_is_read_as_it_is(document: dict[str, Any], ascii_only: bool) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if "\\u0000" in json.dumps(document):
        return
    assert vocab.parse_json(body) == document


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert isinstance(vocab.parse_json(body), dict)


PROPERTIES = [
    "id type actor object target to cc content contentMap summary name published updated url attachment tag icon image",
    "inbox outbox endpoints publicKey assertionMethod preferredUsername followers alsoKnownAs attributionDomains",
    "attributedTo inReplyTo likes replies items orderedItems first next totalItems location focalPoint exifData href",
    "mediaType blurhash width height license webfinger quote rel value @value @list @language @context owner",
]
NAMES = st.sampled_from(" ".join(PROPERTIES).split())
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["Note", "Create", "Person", "Image", "Hashtag", "Mention", "Emoji", "Collection", "PropertyValue", "Key", "Link",
         BOB, "https://", "https://[::1]:x/", "as:Public", "2026-01-01T00:00:00Z", "image/jpeg", "#x", ":x:", "a@b"]
    ),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(NAMES, children, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(NAMES, VALUES, max_size=12),
    st.sampled_from(["Note", "Image", "Like", "Person", "Collection"]),
)
def test_nonsense_in_any_property_gives_a_value_or_malformed(document: dict[str, Any], kind: str) -> None:
    document = {"id": "https://b.example/1", "attributedTo": BOB, "actor": BOB, "type": kind, **document}
    for reader in (
        vocab.parse_activity,
        vocab.parse_note,
        vocab.parse_actor,
        vocab.parse_keys,
        vocab.parse_collection,
    ):
        try:
            reader(document)
        except Malformed:
            continue


@pytest.mark.parametrize("document", [None, [], "x", 1, {}, {"type": []}, {"type": {}}])
def test_other_json_values_are_malformed(document: Any) -> None:
    for reader in (vocab.parse_activity, vocab.parse_note, vocab.parse_actor, vocab.parse_collection):
        with pytest.raises(Malformed):
            reader(document)
    assert vocab.parse_keys(document) == []


# Ids.


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("HTTPS://B.Example/Users/Bob", "https://b.example/Users/Bob"),
        ("https://b.example:443/x", "https://b.example/x"),
        ("http://b.example:80/x", "http://b.example/x"),
        ("https://b.example:8443/x", "https://b.example:8443/x"),
        ("https://b.example./x", "https://b.example/x"),
        ("https://b.example", "https://b.example/"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://XN--BCHER-KVA.example/x", "https://xn--bcher-kva.example/x"),
        ("https://b.example/x#main-key", "https://b.example/x#main-key"),
        ("https://b.example/x/?a=B", "https://b.example/x/?a=B"),
    ],
)
def test_an_id_has_one_spelling(given: str, normal: str) -> None:
    assert vocab.normalize_id(given) == normal
    assert vocab.normalize_id(normal) == normal


@pytest.mark.parametrize(
    "given",
    [
        "https://good.example@evil.example/",
        "https://good.example:pw@evil.example/",
        "https://good.example%40evil.example/",
        "https://good.example\t/x",
        "https://good.example\\@evil.example/",
        "https://good\u3000.example/",
        "https:///x",
        "https://a..b/",
        "https://-/",
        "https://b.example:0/",
        "https://b.example:99999/",
        "https://b.example:80:80/",
        "//b.example/x",
        "javascript:alert(1)",
        "tag:b.example,2026:1",
        "ftp://b.example/",
        "",
        "https://b.example/" + "x" * 2100,
        None,
        7,
    ],
)
def test_other_uris_than_web_addresses_are_malformed(given: Any) -> None:
    with pytest.raises(Malformed):
        vocab.normalize_id(given)
    with pytest.raises(Malformed):
        vocab.host_of(given)
    assert not vocab.same_origin(given, given)


def test_E9_ids_that_differ_in_case_fragment_or_slash_stay_apart() -> None:
    same = ["https://b.example/a", "https://b.example/A", "https://b.example/a/", "https://b.example/a#x"]
    assert len({vocab.normalize_id(uri) for uri in same}) == 4


def test_an_origin_is_scheme_host_and_port() -> None:
    assert vocab.same_origin("https://b.example/a", "https://B.example:443/b")
    assert not vocab.same_origin("https://b.example/", "http://b.example/")
    assert not vocab.same_origin("https://b.example/", "https://b.example:8443/")
    assert not vocab.same_origin("https://b.example/", "https://b.example.evil.example/")
    assert vocab.host_of("https://A.test:8443/x") == "a.test:8443"


# Activities.


@pytest.mark.parametrize(
    "actor", [BOB, [BOB], {"id": BOB}, {"type": "Person", "id": BOB}, [{"id": BOB}], [BOB, {"id": BOB}]]
)
def test_the_actor_is_the_same_in_every_form(actor: Any) -> None:
    assert an_activity(actor=actor).actor == BOB


@pytest.mark.parametrize(
    "actor", [None, [], {}, 7, "bob", [BOB, "https://m.example/mallory"], {"id": [BOB]}, ["x", BOB]]
)
def test_an_activity_without_actor_or_with_two_is_malformed(actor: Any) -> None:
    with pytest.raises(Malformed):
        an_activity(actor=actor)


def test_an_object_is_an_address_a_document_or_several() -> None:
    assert an_activity(object="https://a.example/1").object == vocab.Ref("https://a.example/1")
    embedded = an_activity(object=[{"type": "Note", "id": "https://a.example/1"}]).object
    assert embedded.uri == "https://a.example/1"
    assert embedded.doc == {"type": "Note", "id": "https://a.example/1"}
    anonymous = an_activity(object={"type": "Follow"}).object
    assert anonymous.uri is None
    assert anonymous.doc is not None
    assert not an_activity().object
    several = an_activity(type="Flag", object=["https://a.example/1", {"id": "https://a.example/2"}, 7])
    assert [ref.uri for ref in several.objects] == ["https://a.example/1", "https://a.example/2"]
    assert len(an_activity(object=[f"https://a.example/{n}" for n in range(10_000)]).objects) == 100


def test_the_public_collection_has_three_names_and_is_never_cut_off() -> None:
    activity = an_activity(to="as:Public", cc=["Public", PUBLIC, f"{BOB}/followers"])
    assert activity.to == [PUBLIC]
    assert activity.cc == [PUBLIC, f"{BOB}/followers"]
    many = an_activity(to=[f"https://a.example/{n}" for n in range(900)] + ["as:Public"]).to
    assert PUBLIC in many
    assert len(many) == 500


def test_a_type_may_be_a_list_or_a_full_address() -> None:
    assert an_activity(type=["Thing", "Like"]).type == "Like"
    assert an_activity(type="https://www.w3.org/ns/activitystreams#Undo").type == "Undo"
    assert an_activity(type="as:Undo").type == "Undo"
    assert an_activity(type="Bite").type == "Bite"


def test_a_missing_activity_id_is_transient_and_a_bad_one_malformed() -> None:
    assert an_activity(id=None).id is None
    with pytest.raises(Malformed):
        an_activity(id={"a": 1})


@pytest.mark.parametrize(
    ("given", "millis"),
    [
        ("2026-01-04T10:00:00Z", 1767520800000),
        ("2026-01-04T10:00:00+00:00", 1767520800000),
        ("2026-01-04T10:00:00+0000", 1767520800000),
        ("2026-01-04T12:00:00+02:00", 1767520800000),
        ("2026-01-04T10:00Z", 1767520800000),
        ("2026-01-04T10:00:00.508Z", 1767520800508),
        ("2026-01-04T10:00:00.508123456Z", 1767520800508),
        ("2026-01-04 10:00:00", 1767520800000),
        (["2026-01-04T10:00:00Z"], 1767520800000),
        ("0000-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("2026-13-04T10:00:00Z", None),
        ("yesterday", None),
        ("", None),
        ([], None),
        (1767520800, None),
        ("9999-12-31T23:59:59-23:00", 253402383599000),
    ],
)
def test_times_are_read_in_every_spelling(given: Any, millis: int | None) -> None:
    assert an_activity(published=given).published_ms == millis


# Posts.


def test_a_pixelfed_album_is_read() -> None:
    note = a_note(
        summary=None,
        content="Hello <a href='#'>#x</a>",
        url="https://b.example/p/1",
        published="2026-01-04T10:00:00+00:00",
        to=[PUBLIC],
        cc=[f"{BOB}/followers"],
        sensitive=False,
        attachment=[
            {"type": "Document", "mediaType": "image/jpeg", "url": "https://b.example/a.jpg", "name": "a lake",
             "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj", "focalPoint": [0, -0.5], "width": 1080, "height": 1350,
             "license": "CC BY-SA"},
            {"type": "Document", "mediaType": "image/png", "url": "https://b.example/b.png", "name": None},
        ],
        tag=[
            {"type": "Mention", "href": "https://a.example/users/alice", "name": "@alice@a.example"},
            {"type": "Hashtag", "href": "https://b.example/tags/x", "name": "#x"},
        ],
        commentsEnabled=False,
        capabilities={"announce": PUBLIC},
        location={"type": "Place", "name": "Calgary", "longitude": "-114.08529", "latitude": "51.05011", "country": "Canada"},
    )  # fmt: skip
    first, second = note.attachments
    assert (first.url, first.alt, first.width, first.height) == (
        "https://b.example/a.jpg",
        "a lake",
        1080,
        1350,
    )
    assert (first.blurhash, first.focus, first.license) == (
        "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        (0.0, -0.5),
        "CC BY-SA",
    )
    assert (second.media_type, second.alt, second.blurhash, second.focus) == ("image/png", "", None, None)
    assert note.mentions == [("https://a.example/users/alice", "@alice@a.example")]
    assert note.hashtags == [("x", "https://b.example/tags/x")]
    assert note.place == vocab.Place("Calgary", 51.05011, -114.08529, "Canada", "")
    assert not note.comments_enabled
    assert note.summary == ""
    assert note.published_ms == 1767520800000


def test_a_vernissage_photo_is_read_with_camera_and_place() -> None:
    place = {"type": "Place", "geonameId": "3081368", "name": "Wrocław", "latitude": "51,1", "longitude": "17,03333",
             "addressCountry": "PL"}  # fmt: skip
    photo = {"type": "Image", "mediaType": "image/jpeg", "url": "https://b.example/a.jpg", "location": place}
    exif = [
        {"@type": "PropertyValue", "name": "Make", "value": "SONY"},
        {"type": "PropertyValue", "name": "FNumber", "value": 2.2},
        {"@type": "PropertyValue", "name": "GPSLatitude", "value": "51"},
        "x",
    ]
    note = a_note(
        attachment=[
            {**photo, "exifData": exif},
            {**photo, "exif": {"make": "SONY", "latitude": "51", "film": None}},
        ],
        tag=[{"type": "Category", "name": "Street", "href": "https://b.example/categories/Street"}],
    )
    assert note.attachments[0].exif == (("Make", "SONY"), ("FNumber", "2.2"))
    assert note.attachments[1].exif == (("Make", "SONY"),)
    assert note.attachments[0].place == vocab.Place("Wrocław", 51.1, 17.03333, "PL", "3081368")
    assert note.hashtags == [("Street", "https://b.example/categories/Street")]


def test_one_attachment_that_cannot_be_used_is_left_out_alone() -> None:
    good = {"type": "Document", "mediaType": "image/jpeg", "url": "https://b.example/a.jpg"}
    for bad in (
        None, "x", [], {}, {"type": "Document"}, {**good, "url": "javascript:alert(1)"}, {**good, "mediaType": "text/html"},
        {**good, "mediaType": "application/activity+json"}, {"type": "Link", "href": "https://b.example/"},
        {"type": "PropertyValue", "name": "a", "value": "b"}, {"type": "Person", "url": "https://b.example/a.jpg"},
    ):  # fmt: skip
        assert [media.url for media in a_note(attachment=[bad, good]).attachments] == [
            "https://b.example/a.jpg"
        ]
    assert len(a_note(attachment=[good] * 90).attachments) == 20
    assert len(a_note(attachment=good).attachments) == 1


@pytest.mark.parametrize(
    ("given", "blurhash"),
    [
        ("LEHV6nWB2yk8pyo0adR*.7kCMdnj", True),
        ("LEHV6nWB2yk8pyo0adR*.7kCMdn", False),
        ("<script>alert(1)</script>abcd", False),
        ("", False),
        (7, False),
        (["LEHV6nWB2yk8pyo0adR*.7kCMdnj"], True),
        ([["LEHV6nWB2yk8pyo0adR*.7kCMdnj"]], False),
    ],
)
def test_a_blurhash_is_a_blurhash_or_dropped(given: Any, blurhash: bool) -> None:
    media = {"type": "Image", "url": "https://b.example/a.jpg", "blurhash": given}
    assert (a_note(attachment=media).attachments[0].blurhash is not None) is blurhash


@pytest.mark.parametrize(
    "given", [[1], [1, 2], ["a", "b"], [0, 0, 0], {}, None, 7, [float("inf"), 0], [[0], [0]]]
)
def test_a_malformed_focal_point_is_dropped(given: Any) -> None:
    media = {"type": "Image", "url": "https://b.example/a.jpg", "focalPoint": given}
    assert a_note(attachment=media).attachments[0].focus is None


def test_malformed_sizes_are_dropped() -> None:
    for width in (0, -1, 10**30, "wide", True, 1.5, [], None, "１２"):
        media = {"type": "Image", "url": "https://b.example/a.jpg", "width": width}
        assert a_note(attachment=media).attachments[0].width is None
    media = {"type": "Image", "url": "https://b.example/a.jpg", "width": "640", "height": 480.0}
    assert (
        a_note(attachment=media).attachments[0].width,
        a_note(attachment=media).attachments[0].height,
    ) == (640, 480)


def test_alt_text_is_the_name_or_else_the_summary() -> None:
    media = {"type": "Image", "url": "https://b.example/a.jpg"}
    assert a_note(attachment={**media, "name": "n", "summary": "s"}).attachments[0].alt == "n"
    assert a_note(attachment={**media, "summary": "s"}).attachments[0].alt == "s"
    assert len(a_note(attachment={**media, "name": "x" * 20_000}).attachments[0].alt) == 10_000


def test_images_pages_and_videos_are_posts_too() -> None:
    picture = vocab.parse_note(
        {"id": "https://b.example/1", "type": "Image", "actor": BOB, "name": "a lake",
         "url": [{"type": "Link", "href": "https://b.example/a.jpg", "mediaType": "image/jpeg"}]}
    )  # fmt: skip
    assert picture.attachments[0].url == "https://b.example/a.jpg"
    assert picture.attachments[0].alt == "a lake"
    page = vocab.parse_note(
        {
            "id": "https://b.example/2",
            "type": "Page",
            "attributedTo": BOB,
            "image": {"type": "Image", "url": "https://b.example/b.png"},
        }
    )
    assert page.attachments[0].media_type == "image/png"
    film = vocab.parse_note(
        {
            "id": "https://b.example/3",
            "type": "Video",
            "attributedTo": [{"type": "Group", "id": "https://b.example/c"}, {"type": "Person", "id": BOB}],
            "url": [
                {"type": "Link", "mediaType": "video/mp4", "href": "https://b.example/v.mp4"},
                {"type": "Link", "mediaType": "text/html", "href": "https://b.example/w/3"},
            ],
            "icon": [
                {"type": "Image", "url": "https://b.example/small.jpg"},
                {"type": "Image", "url": "https://b.example/large.jpg"},
            ],
        }
    )
    assert film.actor == BOB
    assert film.url == "https://b.example/w/3"
    assert film.attachments[0].url == "https://b.example/large.jpg"
    unknown = {"id": "https://b.example/4", "type": "Wonder", "attributedTo": BOB}
    with pytest.raises(Malformed):
        vocab.parse_note(unknown)
    assert (
        vocab.parse_note({**unknown, "attachment": {"type": "Image", "url": "https://b.example/a.gif"}}).type
        == "Wonder"
    )


@pytest.mark.parametrize(
    "kind", ["Person", "Like", "Collection", "Tombstone", "Story", "OrderedCollectionPage"]
)
def test_actors_activities_and_collections_are_no_posts(kind: str) -> None:
    with pytest.raises(Malformed):
        a_note(type=kind, attachment={"type": "Image", "url": "https://b.example/a.gif"})


def test_the_page_of_a_post_is_a_web_address_whatever_else_is_listed() -> None:
    listed = ["threads://post/1", {"type": "Link", "href": "https://b.example/post/1"}]
    assert a_note(url=listed).url == "https://b.example/post/1"
    assert a_note(url="javascript:alert(1)").url is None


def test_E6_a_bad_language_tag_drops_its_own_text_only() -> None:
    note = a_note(contentMap={"not a tag": "<p>x</p>", "7": "y", "de-AT": "<p>Servus</p>"})
    assert (note.content, note.language) == ("<p>Servus</p>", "de-AT")
    both = a_note(
        content="<p>Hi</p>", contentMap={"!!": "<p>Hi</p>", "en": "<p>Hi</p>", "fr": "<p>Salut</p>"}
    )
    assert (both.content, both.language) == ("<p>Hi</p>", "en")
    assert a_note(content="x", contentMap=["en"]).language is None
    assert a_note(**{"@context": ["x", {"@language": "und"}], "content": "x"}).language is None


def test_text_that_is_not_html_is_escaped() -> None:
    note = a_note(content="a <b>\nc", mediaType="text/markdown")
    assert note.content == "<p>a &lt;b&gt;<br>c</p>"


def test_direction_overrides_and_control_characters_are_taken_out() -> None:
    assert a_note(summary="a\u202eb\x07c").summary == "abc"
    assert an_actor(name="Bob\u2066\u202e").name == "Bob"


def test_hashtags_are_read_with_and_without_their_mark_and_bounded() -> None:
    tags = [
        {"type": "Hashtag", "name": name} for name in ("#fog", "mist", "＃霧", "", None, "two words", "#fog")
    ]
    assert [name for name, _ in a_note(tag=tags).hashtags] == ["fog", "mist", "霧", "two"]
    many = [{"type": "Hashtag", "name": f"t{n}"} for n in range(500)]
    assert len(a_note(tag=many).hashtags) == 100
    assert len(a_note(tag=[{"type": "Mention", "href": f"{BOB}{n}"} for n in range(500)]).mentions) == 100
    assert a_note(tag={"type": "Hashtag", "name": "#one"}).hashtags == [("one", None)]
    assert a_note(tag={"type": "Hashtag", "nameMap": {"de": "#eins"}}).hashtags == [("eins", None)]


def test_emoji_may_lack_an_id() -> None:
    icon = {"type": "Image", "url": "https://b.example/e.png"}
    note = a_note(
        tag=[{"type": "Emoji", "id": None, "name": ":x:", "icon": icon}, {"type": "Emoji", "name": "y"}]
    )
    assert note.emoji == [vocab.EmojiTag("x", "https://b.example/e.png", None, None)]


@pytest.mark.parametrize("given", [10**30, -1, "12", True, 1.5, None, [], {"a": 1}])
def test_forged_counts_are_dropped(given: Any) -> None:
    note = a_note(likes={"id": "https://b.example/1/likes", "totalItems": given})
    assert note.likes == vocab.CollectionCount("https://b.example/1/likes", None)
    assert vocab.parse_collection({"type": "Collection", "totalItems": given}).total is None


def test_quotes_are_read_from_every_property_and_as_a_link() -> None:
    for name in ("quote", "quoteUrl", "quoteUri", "_misskey_quote"):
        assert a_note(**{name: "https://c.example/1"}).quote == "https://c.example/1"
    link = {"type": "Link", "rel": "https://misskey-hub.net/ns#_misskey_quote", "href": "https://c.example/1"}
    assert a_note(tag=link).quote == "https://c.example/1"


def test_a_vote_is_distinguished_from_a_comment() -> None:
    assert a_note(name="Yes", inReplyTo="https://a.example/1").is_vote
    assert not a_note(content="Yes", inReplyTo="https://a.example/1").is_vote


def test_E2_long_fields_are_cut() -> None:
    actor = an_actor(
        name="n" * 5000,
        summary="s" * 50_000,
        attachment=[{"type": "PropertyValue", "name": "n" * 3000, "value": "v" * 3000}] * 90,
        alsoKnownAs=[f"https://c.example/{n}" for n in range(900)],
        attributionDomains=[f"d{n}.example" for n in range(900)],
    )
    assert (len(actor.name), len(actor.summary)) == (2048, 20_480)
    assert (len(actor.fields), len(actor.fields[0][0]), len(actor.fields[0][1])) == (50, 2047, 2047)
    assert (len(actor.also_known_as), len(actor.attribution_domains)) == (256, 256)
    assert len(a_note(content="x" * 500_000).content) == 100_000


# Actors and keys.


def test_an_actor_is_read() -> None:
    actor = an_actor(
        endpoints={"sharedInbox": "https://b.example/inbox"},
        icon=[{"type": "Image", "mediaType": "image/png", "url": "https://b.example/i.png", "name": "me"}],
        image="https://b.example/header.jpg",
        alsoKnownAs="https://c.example/users/bob",
        manuallyApprovesFollowers=True,
        webfinger="bob@b.example",
        attributionDomains=["Blog.Example", "x y", 7],
        url=[{"type": "Link", "href": "https://b.example/@bob", "mediaType": "text/html"}],
        published="2026-01-04T10:00:00Z",
    )
    assert (actor.shared_inbox, actor.icon, actor.icon_alt) == (
        "https://b.example/inbox",
        "https://b.example/i.png",
        "me",
    )
    assert (actor.image, actor.url) == ("https://b.example/header.jpg", "https://b.example/@bob")
    assert actor.also_known_as == ["https://c.example/users/bob"]
    assert (actor.manually_approves_followers, actor.discoverable, actor.indexable) == (True, False, False)
    assert (actor.webfinger, actor.attribution_domains) == ("bob@b.example", ["blog.example"])


def test_a_title_as_user_name_loses_its_blanks() -> None:
    assert an_actor(preferredUsername=" My Blog\n").username == "MyBlog"


def test_a_handle_as_user_name_is_cut_to_its_name() -> None:
    assert an_actor(preferredUsername="bob@remote.example").username == "bob"


@pytest.mark.parametrize(
    "more", [{"inbox": None}, {"inbox": "x"}, {"id": None}, {"id": "tag:x"}, {"preferredUsername": ""},
             {"preferredUsername": "<b>"}, {"preferredUsername": "@a"}, {"type": "Note"}, {"preferredUsername": ["x", 1, {}]}]
)  # fmt: skip
def test_an_incomplete_actor_is_malformed(more: dict[str, Any]) -> None:
    if more.get("preferredUsername") == ["x", 1, {}]:
        assert an_actor(**more).username == "x"
        return
    with pytest.raises(Malformed):
        an_actor(**more)


def test_actors_without_user_names_get_distinct_placeholders() -> None:
    nameless = an_actor(preferredUsername=None)
    other = an_actor(id=f"{BOB}y", preferredUsername=None)
    assert nameless.username.startswith("unnamed-")
    assert nameless.username == an_actor(preferredUsername=None).username != other.username
    assert "bob" not in nameless.username


def test_keys_are_read_in_every_form() -> None:
    rsa = {"id": f"{BOB}#main-key", "owner": BOB, "publicKeyPem": "PEM"}
    multikey = {"id": f"{BOB}#ed", "type": "Multikey", "controller": BOB, "publicKeyMultibase": "z6Mkabc"}
    known = vocab.Key(f"{BOB}#main-key", BOB, "PEM", "rsa")
    assert an_actor(publicKey=rsa).keys == [known]
    assert an_actor(publicKey=[rsa, rsa, 7, "https://b.example/key"]).keys == [
        known,
        vocab.Key("https://b.example/key", None, None, ""),
    ]
    assert an_actor(publicKey=rsa, assertionMethod=[multikey]).keys[1] == vocab.Key(
        f"{BOB}#ed", BOB, "z6Mkabc", "ed25519"
    )
    assert vocab.parse_keys({**rsa, "type": "Key"}) == [known]
    assert vocab.parse_keys(rsa) == [known]
    assert vocab.parse_keys({"id": BOB, "preferredUsername": "bob", "publicKey": rsa}) == [known]
    assert len(vocab.parse_keys({"publicKey": [{"id": f"{BOB}#{n}"} for n in range(100)]})) == 20


def test_collections_are_read_in_every_form() -> None:
    page = vocab.parse_collection(
        {"type": "OrderedCollectionPage", "orderedItems": ["https://b.example/1", {"id": "https://b.example/2"}, None, 7],
         "next": {"id": "https://b.example/page/2"}, "partOf": "https://b.example/c", "totalItems": 3}
    )  # fmt: skip
    assert [ref.uri for ref in page.items] == ["https://b.example/1", "https://b.example/2"]
    assert (page.next, page.part_of, page.total) == ("https://b.example/page/2", "https://b.example/c", 3)
    assert (
        vocab.parse_collection(
            {"type": "Collection", "first": {"type": "CollectionPage", "items": []}}
        ).first.doc
        is not None
    )
    assert len(vocab.parse_collection({"type": "Collection", "items": [BOB] * 5000}).items) == 1000


@pytest.mark.parametrize(
    ("generator", "takes"),
    [
        ({"type": "Application", "implements": [{"href": RFC9421_URLS[0], "name": "RFC-9421"}]}, True),
        ({"implements": RFC9421_URLS[1]}, True),
        ([{"implements": [{"id": RFC9421_URLS[2]}, 7, None]}], True),
        ({"implements": [{"href": "https://w3id.org/fep/8b32"}]}, False),
        ({"implements": [{"href": {"x": 1}}, []]}, False),
        ("https://b.example/software", False),
        (None, False),
    ],
)
def test_the_specifications_an_actor_implements_are_read(generator: Any, takes: bool) -> None:
    doc = {"id": BOB, "type": "Person", "preferredUsername": "bob", "inbox": f"{BOB}/inbox"}
    assert vocab.parse_actor(doc | {"generator": generator}).supports_rfc9421 is takes
