"""Polls, files, links and events of posts, in the forms that other software sends them in."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.vocab.extras import PageLink
from activitypub.vocab.notes import Note
from node.models.post_extras import MAX_OPTIONS, PollOption

ME = "https://b.example/users/bob"
MP4 = "https://b.example/a.mp4"


def a_note(**more: Any) -> Note:
    return vocab.parse_note({"id": f"{ME}/1", "type": "Note", "attributedTo": ME, "content": "x", **more})


def option(name: Any, votes: Any = None) -> dict[str, Any]:
    return {"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": votes}}


def test_a_poll_has_its_options_votes_and_end() -> None:
    poll = a_note(
        type="Question",
        oneOf=[option("yes", 4), option("no", 0)],
        endTime="2026-01-02T00:00:00Z",
        votersCount=4,
    ).poll

    assert poll is not None
    assert poll.options == (PollOption("yes", 4), PollOption("no", 0))
    assert (poll.is_multiple, poll.votes, poll.voters, poll.ends_at) == (False, 4, 4, 1_767_312_000_000)


def test_the_options_beyond_those_that_are_read_are_counted_with_their_votes() -> None:
    poll = a_note(type="Question", oneOf=[option(f"{n}", 2) for n in range(150)]).poll

    assert poll is not None
    assert [one.title for one in poll.options] == [f"{n}" for n in range(MAX_OPTIONS)]
    assert (poll.more_options, poll.more_votes, poll.votes) == (130, 260, 300)
    assert poll.share(poll.options[0]) == 1


@pytest.mark.parametrize(
    ("document", "options", "end"),
    [
        ({"anyOf": [option("a", 1)]}, ["a"], None),
        ({"oneOf": option("a")}, ["a"], None),
        ({"oneOf": {"@list": [option("a"), option("b")]}}, ["a", "b"], None),
        ({"oneOf": [{"name": "arduino"}, {"name": "pi"}]}, ["arduino", "pi"], None),
        ({"oneOf": [{"nameMap": {"en": "a"}}]}, ["a"], None),
        ({"oneOf": [option("a"), option("a"), option(""), None, 7, "x"]}, ["a"], None),
        ({"oneOf": [option("two\n lines")]}, ["two lines"], None),
        (
            {"oneOf": [option("a")], "closed": "2026-01-01T00:00:00Z", "endTime": None},
            ["a"],
            1_767_225_600_000,
        ),
        (
            {"oneOf": [option("a")], "closed": True, "endTime": "2026-01-01T00:00:00Z"},
            ["a"],
            1_767_225_600_000,
        ),
        ({"oneOf": [option("a")], "closed": True}, ["a"], 1),
        ({"oneOf": [option("a")], "closed": False}, ["a"], None),
        ({"oneOf": [option(f"o{n}") for n in range(90)]}, [f"o{n}" for n in range(20)], None),
    ],
)
def test_a_poll_is_read_in_every_form(document: dict[str, Any], options: list[str], end: int | None) -> None:
    for kind in ("Question", "Note"):
        poll = a_note(type=kind, **document).poll

        assert poll is not None
        assert [one.title for one in poll.options] == options
        assert poll.end == end
        assert poll.is_multiple == ("anyOf" in document)


@pytest.mark.parametrize("votes", [-1, True, "4", 10**12, [], {}])
def test_a_number_of_votes_that_is_none_is_unknown(votes: Any) -> None:
    poll = a_note(oneOf=[option("a", votes)], votersCount=votes).poll

    assert poll is not None
    assert (poll.options[0].votes, poll.voters) == (None, None)


def test_a_question_without_options_is_no_poll() -> None:
    assert a_note(type="Question", endTime="2026-01-02T00:00:00Z").poll is None


@pytest.mark.parametrize(
    ("attachment", "kind", "url"),
    [
        ({"type": "Document", "mediaType": "video/mp4", "url": MP4, "name": "waves"}, "video", MP4),
        ({"type": "Video", "url": MP4, "name": "waves"}, "video", MP4),
        ({"type": "Video", "url": [{"type": "Link", "href": MP4}], "summary": "waves"}, "video", MP4),
        (
            {"type": "Audio", "url": "https://b.example/a", "nameMap": {"en": "waves"}},
            "audio",
            "https://b.example/a",
        ),
        (
            {"type": "Document", "url": "https://b.example/a.ogg", "name": "waves"},
            "audio",
            "https://b.example/a.ogg",
        ),
        ({"type": "Link", "href": MP4, "mediaType": "video/mp4", "name": "waves"}, "video", MP4),
        (
            {
                "type": "Document",
                "mediaType": "application/pdf",
                "url": "https://b.example/a.pdf",
                "name": "waves",
            },
            "file",
            "https://b.example/a.pdf",
        ),
        ({"type": "Document", "url": "https://b.example/a", "name": "waves"}, "file", "https://b.example/a"),
    ],
)
def test_what_is_no_picture_is_a_file_with_its_description(
    attachment: dict[str, Any], kind: str, url: str
) -> None:
    note = a_note(attachment=[attachment, {"type": "Image", "url": "https://b.example/a.jpg"}])

    assert [(file.kind, file.url, file.alt) for file in note.files] == [(kind, url, "waves")]
    assert [media.url for media in note.attachments if media.is_image] == ["https://b.example/a.jpg"]
    assert note.links == []


def test_a_video_is_its_page_with_its_poster() -> None:
    note = a_note(
        type="Video",
        name="Waves",
        icon=[{"type": "Image", "url": "https://b.example/small.jpg"}, {"type": "Image", "url": "https://b.example/big.jpg"}],
        url=[{"type": "Link", "mediaType": "video/mp4", "href": MP4}, {"type": "Link", "mediaType": "text/html", "href": "https://b.example/w/1"}],
    )  # fmt: skip

    assert [(file.kind, file.url) for file in note.files] == [("video", "https://b.example/w/1")]
    assert [media.url for media in note.attachments] == ["https://b.example/big.jpg"]


def test_a_recording_is_a_post_without_text_and_picture() -> None:
    note = a_note(type="Audio", content=None, name="Song", url="https://b.example/song")

    assert [(file.kind, file.url) for file in note.files] == [("audio", "https://b.example/song")]


@pytest.mark.parametrize(
    ("attachment", "links"),
    [
        ({"type": "Link", "href": "https://c.example/"}, [("https://c.example/", "")]),
        (
            {"type": "Link", "href": "https://c.example/", "name": "A \n page"},
            [("https://c.example/", "A page")],
        ),
        (
            {"type": "Link", "href": "https://c.example/", "mediaType": "text/html"},
            [("https://c.example/", "")],
        ),
        ({"type": "Page", "url": "https://c.example/", "name": "A"}, [("https://c.example/", "A")]),
        ({"href": "https://c.example/"}, [("https://c.example/", "")]),
        ("https://c.example/", [("https://c.example/", "")]),
        ([{"type": "Link", "href": "https://c.example/"}] * 2, [("https://c.example/", "")]),
        ({"type": "Link", "href": "https://c.example/a.jpg", "mediaType": "image/jpeg"}, []),
        ({"type": "Link", "href": "javascript:alert(1)"}, []),
        ({"type": "Link", "href": "xmpp:a@c.example"}, []),
        ({"type": "Link", "href": "https://c.example/" + "x" * 3000}, []),
        ({"type": "PropertyValue", "name": "a", "value": "https://c.example/"}, []),
        ({"type": "Link"}, []),
        ("x", []),
        (7, []),
    ],
)
def test_links_to_pages_are_read(attachment: Any, links: list[tuple[str, str]]) -> None:
    assert a_note(attachment=attachment).links == [PageLink(*link) for link in links]


@pytest.mark.parametrize(
    ("location", "places", "urls"),
    [
        ({"type": "Place", "name": "Hall"}, ("Hall",), ()),
        (
            {"type": "Place", "name": "Hall", "address": {"streetAddress": "Way 1", "postalCode": "44000", "addressLocality": "Nantes", "addressCountry": "France"}},
            ("Hall, Way 1, 44000 Nantes, France",),
            (),
        ),
        ({"type": "Place", "address": {"streetAddress": " ", "addressLocality": "Nantes"}}, ("Nantes",), ()),
        ({"type": "Place", "name": "Hall", "address": "Way 1"}, ("Hall, Way 1",), ()),
        ({"type": "VirtualLocation", "name": "Call", "url": "https://c.example/call"}, ("Call",), ("https://c.example/call",)),
        ([{"type": "Place", "name": "Hall"}, {"type": "VirtualLocation", "url": "https://c.example/"}], ("Hall",), ("https://c.example/",)),
        ("Hall", ("Hall",), ()),
        ("https://c.example/call", (), ("https://c.example/call",)),
        ([None, 7, {}, []], (), ()),
    ],
)  # fmt: skip
def test_places_are_read_in_every_form(location: Any, places: tuple[str, ...], urls: tuple[str, ...]) -> None:
    event = a_note(type="Event", location=location, startTime="2026-11-24T22:08:26.45+00:00Z").event

    assert (event.places, event.urls) == (places, urls)
    assert (event.starts_at, event.ends_at) == (1_795_558_106_450, None)


def test_a_link_may_name_its_type_as_older_software_does() -> None:
    """Funkwhale, Prismo and older versions of PeerTube write `mimeType`."""
    page, sound = "https://b.example/w/1", "https://b.example/listen/1?download=false"
    links = [
        {"type": "Link", "mimeType": "audio/ogg", "href": sound},
        {"type": "Link", "mimeType": "text/html", "href": page},
    ]

    note = a_note(type="Audio", url=links)
    attached = a_note(attachment=[{"type": "Document", "mimeType": "audio/ogg", "url": sound}])

    assert note.url == page
    assert [(file.kind, file.mime) for file in attached.files] == [("audio", "audio/ogg")]


@pytest.mark.parametrize(
    ("document", "content"),
    [
        ({"content": ["<p>one</p>", "<p>two</p>"]}, "<p>one</p><br><p>two</p>"),
        ({"content": {"@list": ["one", {"@value": "two"}]}}, "one<br>two"),
        ({"content": ["one", "", None, 7, "one", " "]}, "one"),
        ({"content": ["a < b", "c"], "mediaType": "text/plain"}, "<p>a &lt; b<br>c</p>"),
        # Translations of one text, and not two texts.
        ({"content": [{"@value": "one", "@language": "en"}, {"@value": "eins", "@language": "de"}]}, "one"),
    ],
)
def test_several_texts_are_joined_with_a_break(document: dict[str, Any], content: str) -> None:
    assert a_note(**document).content == content
