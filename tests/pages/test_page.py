"""Pages stand alone, escape what they are given, and can be read by everybody."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from leadlight.errors import LeadlightError
from leadlight.figures import plot_probabilities
from leadlight.pages import Markdown, Page, Paragraph, Section, Table, explanation_page, picture, render

ATTACK = '<script>alert("1")</script><img src=x onerror=alert(1)>'


class Reader(HTMLParser):
    """Collects the tags of a page and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"{tag} closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data


def a_page() -> str:
    figure = plot_probabilities(["MI"], [0.5], [0.4])  # type: ignore[arg-type]
    rows = [
        {"class": "MI", "n": 3, "AUC": 0.91234, "found": True},
        {"class": "CD", "n": 4, "AUC": None, "found": False},
    ]
    return render(
        Page(
            "A title",
            [
                Section(
                    "First", [Paragraph("Some text."), picture(figure, "Bars of one class", "A caption")]
                ),
                Section(
                    "Second", [Table(rows, "Two classes", frozenset({0})), Markdown("# Card\n\nplain *text*")]
                ),
            ],
            "What it is about.",
        )
    )


def test_nothing_is_fetched_from_anywhere() -> None:
    for tag, attributes in Reader(a_page()).tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "srcset", "action"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/", "#"))
    assert "url(" not in a_page()
    assert "@import" not in a_page()


def test_the_page_itself_forbids_scripts_and_the_network() -> None:
    policy = next(
        a["content"] for t, a in Reader(a_page()).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_every_tag_is_closed_and_every_picture_has_a_text() -> None:
    reader = Reader(a_page())
    assert reader.open == []
    pictures = [attributes for tag, attributes in reader.tags if tag == "img"]
    assert [one["alt"] for one in pictures] == ["Bars of one class"]


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in Reader(a_page()).tags if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 3]


def test_language_viewport_and_table_headings_are_there() -> None:
    tags = Reader(a_page()).tags
    assert ("html", {"lang": "en"}) in tags
    assert any(attributes.get("name") == "viewport" for _, attributes in tags)
    assert sum(tag == "th" and attributes.get("scope") == "col" for tag, attributes in tags) == 4


def test_sections_can_be_reached_from_the_top() -> None:
    tags = Reader(a_page()).tags
    links = [attributes["href"] for tag, attributes in tags if tag == "a"]
    places = [f"#{attributes['id']}" for tag, attributes in tags if tag == "section"]
    assert places == ["#section-1", "#section-2"]
    assert links == ["#main", *places, "#top", "#top"]


@pytest.mark.parametrize(
    "page",
    [
        Page(ATTACK, [Section("x", [])]),
        Page("x", [], ATTACK),
        Page("x", [Section(ATTACK, [Paragraph(ATTACK), Paragraph(ATTACK, "note")])]),
        Page("x", [Section("x", [Table([{ATTACK: ATTACK}], ATTACK)])]),
        Page(
            "x",
            [
                Section(
                    "x",
                    [Markdown(ATTACK + "\n\n[a](javascript:alert(1))\n\n![b](https://example.org/b.png)")],
                )
            ],
        ),
    ],
)
def test_whatever_is_set_is_escaped(page: Page) -> None:
    tags = Reader(render(page)).tags
    assert not any(tag in ("script", "img") for tag, _ in tags)
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    assert not any("javascript:" in str(value) for _, attributes in tags for value in attributes.values())


def test_a_picture_is_the_figure_itself_in_lines() -> None:
    figure = plot_probabilities(["MI"], [0.5], [0.4])  # type: ignore[arg-type]
    one = picture(figure, "alt")
    assert one.width == pytest.approx(150)
    assert b"<svg" in base64.b64decode(one.source.removeprefix("data:image/svg+xml;base64,"))


def test_numbers_have_three_decimals_and_what_is_missing_is_a_dash() -> None:
    text = Reader(a_page()).text
    assert "0.912" in text and "–" in text and "yes" in text


def test_it_says_that_it_is_no_medical_device() -> None:
    assert "not a medical device" in Reader(a_page()).text


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_ground() -> None:
    page = a_page()
    colours = dict(re.findall(r"--(ink|quiet|mark): (#[0-9a-f]+)", page))
    assert set(colours) == {"ink", "quiet", "mark"}
    for name, colour in colours.items():
        assert 1.05 / (luminance(colour) + 0.05) >= 7, name  # WCAG AAA on white


def test_a_page_of_nothing_is_refused() -> None:
    with pytest.raises(LeadlightError, match="at least one"):
        explanation_page([])


class Explained:
    """Anything that can set itself as a section."""

    def section(self, title: str, layout: str = "auto") -> Section:
        return Section(title, [Paragraph(f"layout {layout}")])


def test_recordings_are_numbered_unless_they_are_named() -> None:
    def titles(page: str) -> list[Any]:
        return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)

    assert titles(explanation_page([Explained(), Explained()])) == ["Recording 1", "Recording 2"]
    assert titles(explanation_page([Explained()], titles=["Before & after"])) == ["Before &amp; after"]
    assert "layout 12x1" in explanation_page([Explained()], layout="12x1")


def test_a_tracing_is_printed_to_scale_on_a_page_of_its_own_and_charts_side_by_side() -> None:
    from leadlight.figures.paper import new_page

    widths = {"tracing": 297.0, "small": 180.0, "small half": 88.0}
    figures = [
        picture(new_page(width, 210.0 if width > 200 else 50.0), name) for name, width in widths.items()
    ]
    page = render(Page("Sizes", [Section("All", figures)]))
    found = [tag for tag in Reader(page).tags if tag[0] in ("figure", "img")]
    assert [attributes.get("class") for tag, attributes in found if tag == "figure"] == list(widths)
    assert [attributes["style"] for tag, attributes in found if tag == "img"] == [
        f"width: {width:.2f}mm" for width in widths.values()
    ]
    printed = page[page.index("@media print") : page.index("</style>")]
    assert "@page tracing { size: A4 landscape; margin: 0; }" in printed
    assert "figure.tracing .wide { page: tracing;" in printed
    margins, gap = 2 * 12, 3  # of an upright page and after a chart, as the style says
    assert "@page { size: A4; margin: 9mm 12mm; }" in printed and "margin-right: 3mm" in printed
    assert 2 * (88 + gap) <= 210 - margins and 180 + gap <= 210 - margins


def test_intervals_keep_to_one_line_but_not_in_print() -> None:
    rows = [{"class": "MI", "interval": "0.905 to 0.970", "description": "a description that goes on and on"}]
    page = render(Page("Cells", [Section("All", [Table(rows)])]))
    cells = [attributes.get("class") for tag, attributes in Reader(page).tags if tag == "td"]
    assert cells == [None, "short", None]
    assert "td.short { white-space: normal; }" in page[page.index("@media print") :]
