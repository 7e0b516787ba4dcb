"""The files of the documentation page, and how they and what they read are sent."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

import jina.http
from jina.http.docs_page import Found, flow_json, openapi_json, page_file, wants_page
from tests.http.described import page

FOLDER = Path(jina.http.__file__).parent / "page"
FILES = {path.name: path.read_text() for path in FOLDER.iterdir()}
SCRIPTS = {name: text for name, text in FILES.items() if name.endswith(".js")}


def file(name: str, *conditions: str) -> Found:
    found = page_file(name, *conditions)
    assert found is not None
    return found


def test_the_page_and_each_of_its_files_are_sent() -> None:
    assert file("").body == file("index.html").body == FILES["index.html"].encode()
    types = {name: file(name).headers["content-type"].partition(";")[0] for name in FILES}
    assert types.pop("index.html") == "text/html"
    assert types.pop("page.css") == "text/css"
    assert set(types.values()) == {"text/javascript"}


@pytest.mark.parametrize("name", ["other.js", "../docs_page.py", "page.js/", "page", "/etc/passwd"])
def test_nothing_else_is_sent(name: str) -> None:
    assert page_file(name) is None


def test_a_browser_is_told_to_load_nothing_from_elsewhere() -> None:
    for name in ("", *FILES):
        headers = file(name).headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
            " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert headers["referrer-policy"] == "no-referrer"


def test_no_file_names_another_host() -> None:
    urls = {url for text in FILES.values() for url in re.findall(r"(?:https?:)?//[\w.]+", text)}
    assert {url for url in urls if "." in url} == {"http://www.w3.org"}  # the name of SVG


def test_what_a_flow_says_never_becomes_markup() -> None:
    markup = re.compile(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|DOMParser")
    assert not [name for name, text in SCRIPTS.items() if markup.search(text)]
    assert not re.search(r"<script>|<style|style=|\son\w+=", FILES["index.html"])


def test_scripts_name_elements_that_the_page_has() -> None:
    named = {name for text in SCRIPTS.values() for name in re.findall(r'\$\("([\w-]+)"\)', text)}
    ids = set(re.findall(r'id="([\w-]+)"', FILES["index.html"]))
    assert named - {"others"} <= ids  # "others" is made for each endpoint


def test_the_page_is_small() -> None:
    assert sum(len(file(name, "", "gzip").body) for name in FILES) < 16_000


def test_a_file_that_is_known_is_not_sent_again() -> None:
    first = file("page.js")
    assert first.status == 200
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    for known in (tag, f'"other", {tag}', "*"):
        again = file("page.js", known)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert file("page.js", '"other"').status == 200


def test_a_file_is_compressed_for_those_who_take_that() -> None:
    found = file("page.js", "", "br, gzip")
    assert found.headers["content-encoding"] == "gzip"
    assert gzip.decompress(found.body) == file("page.js").body
    assert found.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in file("page.js", "", "gzip;q=0").headers


def test_flow_json_and_openapi_json_are_sent_as_json() -> None:
    for made, key in ((flow_json, "nodes"), (openapi_json, "openapi")):
        found = made(page())
        assert found.headers["content-type"] == "application/json"
        assert key in json.loads(found.body)
        assert made(page(), found.headers["etag"]).status == 304
        assert made(page(title="other"), found.headers["etag"]).status == 200


@pytest.mark.parametrize(
    ("accept", "is_browser"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", True),
        ("application/json, text/html;q=0.5", True),
        ("*/*", False),
        ("", False),
    ],
)
def test_browsers_are_known_by_what_they_accept(accept: str, is_browser: bool) -> None:
    assert wants_page(accept) is is_browser
