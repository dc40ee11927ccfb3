"""Links in pages and XRD documents: what is found, what is ignored, and E4 of the security table."""

from __future__ import annotations

import time

import pytest

from activitypub.client import page_links

KIND = 'type="application/activity+json"'
BASE = "https://b.example/@bob/1"


def test_the_alternate_link_of_a_page_is_found() -> None:
    kind = 'type="application/activity+json"'
    page = f"<html><head><link rel=stylesheet href=/x.css><LINK href='/p/1?a=1&amp;b=2' {kind} rel='alternate'></head><body>"
    assert page_links.find_alternate("https://b.example/@bob/1", page) == "https://b.example/p/1?a=1&b=2"
    header = f'<https://b.example/p/9>; rel="alternate"; {kind}'
    assert page_links.find_alternate("https://b.example/", "", header) == "https://b.example/p/9"
    assert (
        page_links.find_alternate("https://b.example/", f'<body><link rel="alternate" {kind} href="/x">')
        is None
    )
    assert (
        page_links.find_alternate("https://b.example/", f'<link rel="alternate" {kind} href="javascript:x">')
        is None
    )


@pytest.mark.parametrize(
    "piece",
    ["<link ", "<link a='", '<link rel="', ">", "<", "a=", "<link a=b>", "<link " + "a" * 900 + ">", "\0"],
)
def test_E4_an_adversarial_page_takes_linear_time(piece: str) -> None:
    page = piece * (1_048_576 // len(piece))
    start = time.process_time()
    assert page_links.find_alternate("https://b.example/", page, page) is None
    assert time.process_time() - start < 1


def test_the_link_header_goes_before_the_page() -> None:
    header = f'<https://b.example/header>; rel="alternate"; {KIND}'
    page = f'<link rel="alternate" {KIND} href="https://b.example/page">'

    assert page_links.find_alternate(BASE, page, header) == "https://b.example/header"


@pytest.mark.parametrize(
    ("attributes", "is_found"),
    [
        (f'rel="alternate" {KIND}', True),
        (f'rel="me alternate" {KIND}', True),
        (
            'rel="alternate" type=\'application/ld+json; profile="https://www.w3.org/ns/activitystreams"\'',
            True,
        ),
        ('rel="alternate" type="application/ld+json"', False),
        ('rel="alternate" type="application/rss+xml"', False),
        ('rel="alternate"', False),
        (f'rel="stylesheet" {KIND}', False),
        (f'rel="alternates" {KIND}', False),
    ],
)
def test_only_alternates_of_an_activitypub_type_count(attributes: str, is_found: bool) -> None:
    found = page_links.find_alternate(BASE, f"<head><link {attributes} href='/p/1'></head>")

    assert found == ("https://b.example/p/1" if is_found else None)


def test_links_after_the_first_fifty_are_ignored() -> None:
    link = f'<link rel="alternate" {KIND} href="/p/1">'

    assert page_links.find_alternate(BASE, "<link rel=x>" * 49 + link) is not None
    assert page_links.find_alternate(BASE, "<link rel=x>" * 50 + link) is None


def test_the_webfinger_template_of_an_xrd_is_found() -> None:
    template = "https://b.example/finger?q={uri}"
    xrd = (
        '<?xml version="1.0"?><XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0"><!-- a comment -->'
        f'<Link rel="other" template="https://x/"/><Link rel="lrdd" template="{template}"/></XRD>'
    )

    assert page_links.find_lrdd_template(xrd) == template
    assert page_links.find_lrdd_template("<XRD><Link rel='lrdd' href='https://b.example/'/></XRD>") is None


def test_an_xrd_with_a_dtd_is_ignored() -> None:
    xrd = '<!DOCTYPE x [<!ENTITY y "z">]><XRD><Link rel="lrdd" template="https://b.example/{uri}"/></XRD>'

    assert page_links.find_lrdd_template(xrd) is None
