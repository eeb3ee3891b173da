"""A report can be used by everybody: with a keyboard, a screen reader, a phone, a printer."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from leadlight.pages import Paragraph, Section
from leadlight.report import run_report

VOID = ("meta", "img", "br", "hr", "link", "input")


class Reader(HTMLParser):
    """The tags of a page in order, the text within each kind, and what is wrongly closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.within: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.within.setdefault(tag, []).append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, f"{tag} closes something else"

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.within[tag][-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag]


class Explained:
    def section(self, title: str, layout: str = "auto") -> Section:
        return Section(title, [Paragraph("the example")])


@pytest.fixture
def page(run: Path, tmp_path: Path) -> str:
    return run_report(run, tmp_path / "report.html", [Explained()]).read_text(encoding="utf-8")


@pytest.fixture
def reader(page: str) -> Reader:
    return Reader(page)


def test_nothing_comes_from_outside_and_nothing_can_run(reader: Reader, page: str) -> None:
    for tag, attributes in reader.tags:
        assert tag not in ("script", "link", "iframe", "object", "embed", "base", "form")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "srcset", "action", "data"):
            assert attributes.get(name) is None or str(attributes[name]).startswith("data:image/")
        assert attributes.get("href") is None or str(attributes["href"]).startswith("#")
    assert not re.search(r"url\(|@import|https?://[^\s<]*\.(?:js|css|woff)", page)


def test_every_picture_has_words_of_its_own_that_say_what_it_shows(reader: Reader) -> None:
    words = [attributes["alt"] for attributes in reader.attributes("img")]
    assert len(words) >= 10
    assert all(word and len(word) > 15 for word in words)
    assert len(set(words)) == len(words)
    assert not any(word and word.lower().startswith(("image of", "picture of")) for word in words)


def test_headings_begin_with_one_title_and_never_skip_a_level(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_contents_list_every_section_and_heading_and_leads_there(reader: Reader, page: str) -> None:
    names = [attributes["id"] for _, attributes in reader.tags if attributes.get("id")]
    assert len(set(names)) == len(names)
    links = [str(attributes["href"])[1:] for attributes in reader.attributes("a")]
    assert set(links) <= set(names)
    within = page[page.index("<nav") : page.index("</nav>")]
    listed = re.findall(r'href="#([^"]+)"', within)
    sections = [str(attributes["id"]) for attributes in reader.attributes("section")]
    inner = [str(attributes["id"]) for attributes in reader.attributes("h3") if attributes.get("id")]
    assert set(listed) == {*sections, *inner}
    assert listed == sorted(listed, key=page.index)


def test_the_keyboard_reaches_the_content_and_whatever_scrolls(reader: Reader) -> None:
    first = next(attributes for tag, attributes in reader.tags if tag == "a")
    assert (first["href"], first["class"]) == ("#main", "skip")
    scrolling = [a for _, a in reader.tags if a.get("class") == "wide"]
    assert scrolling
    for attributes in scrolling:
        assert (attributes["tabindex"], attributes["role"]) == ("0", "group") and attributes["aria-label"]
    assert not any(int(a["tabindex"] or 0) > 0 for _, a in reader.tags if a.get("tabindex"))


def test_what_has_the_focus_is_seen(page: str) -> None:
    assert re.search(r"a:focus-visible, \.wide:focus-visible \{ outline: 3px solid", page)


def test_tables_have_headings_of_columns_and_captions(reader: Reader) -> None:
    tables = len(reader.attributes("table"))
    assert len(reader.attributes("caption")) >= tables - 1  # the model card's own has none
    assert all(a.get("scope") == "col" for a in reader.attributes("th") if "style" not in a and a)


def test_links_say_where_they_lead(reader: Reader) -> None:
    for text in reader.within["a"]:
        assert len(text.strip()) > 3
        assert text.strip().lower() not in ("here", "link", "more")


def test_language_title_viewport_and_landmarks_are_there(reader: Reader) -> None:
    tags = [tag for tag, _ in reader.tags]
    assert {"header", "nav", "main", "footer"} <= set(tags)
    assert reader.attributes("html") == [{"lang": "en"}]
    assert reader.within["title"][0].strip()
    viewport = next(a for a in reader.attributes("meta") if a.get("name") == "viewport")
    assert "user-scalable" not in str(viewport["content"])


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_letters_stand_out_from_their_ground(page: str) -> None:
    colours = dict(re.findall(r"--(ink|quiet|mark): (#[0-9a-f]+)", page))
    for ground in ("#ffffff", "#fff7ed", "#f4f6f8"):
        for name in ("ink", "quiet", "mark"):
            light, dark = luminance(ground), luminance(colours[name])
            assert (light + 0.05) / (dark + 0.05) >= 7, (name, ground)  # WCAG AAA


def test_it_can_be_printed_with_its_contents_and_read_on_a_phone(page: str) -> None:
    printed = page[page.index("@media print") :]
    assert "break-inside: avoid" in printed and "nav { display: none" not in printed
    assert ".skip { display: none" in printed
    assert "@media screen and (max-width: 50rem)" in page
    assert "max-width: 100%" in page


def test_no_record_or_patient_is_named(run: Path, page: str, make_ids: Callable[[], Any]) -> None:
    text = re.sub(r"data:image/[^\"]+", "", page)
    for name in make_ids():
        assert name not in text
