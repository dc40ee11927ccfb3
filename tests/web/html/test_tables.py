"""Each cell of a table knows the heading of its column."""

from __future__ import annotations

from markupsafe import Markup

from web.html.tables import with_headings


def test_cells_get_the_heading_of_their_column_row_by_row() -> None:
    rows = Markup(
        '<tr data-entry="1"><td>a</td><td class="n">1</td><td><b>x</b></td></tr><tr><td>b</td></tr>'
    )

    html = with_headings(rows, ("Name", ("How <many>", "n"), ("Actions", "sr")))

    assert html == (
        '<tr role="row" data-entry="1"><td role="cell" data-heading="Name">a</td>'
        '<td role="cell" data-heading="How &lt;many&gt;" class="n">1</td><td role="cell"><b>x</b></td></tr>'
        '<tr role="row"><td role="cell" data-heading="Name">b</td></tr>'
    )
