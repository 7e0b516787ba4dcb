"""The documentation page of a running Flow, as people use it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.http.fronts import FrontProcess, front_beside, is_answered
from tests.polling import wait_until
from tests.shell import JINA, WAIT_S, Shell

HERE = Path(__file__).parent
SHOTS = os.environ.get("JINA_SCREENSHOTS", "")
TITLE = {"title": "Album", "description": "Finds pictures by a colour, or by another picture."}
PATIENCE_MS = WAIT_S * 1000


@pytest.fixture(scope="module")
def address(shared_shell: Shell) -> Iterator[str]:
    with shared_shell.up(HERE / "album.yml"):
        yield shared_shell.ps()[0]["addresses"][0]


@pytest.fixture(scope="module")
def front(address: str) -> Iterator[FrontProcess]:
    with front_beside(address, flow="album", **TITLE) as found:
        assert is_answered(found, "/search", {"data": [{"text": "red"}]})
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


class Visit:
    """A page, and all that it asked for and said.

    Args:
        browser: to open it in.
        front: that serves it.
        where: the path, and the endpoint after `#`.
        **options: of the browser's context, such as `viewport`.
    """

    def __init__(self, browser: Browser, front: FrontProcess, where: str, **options: Any) -> None:
        self.origin = f"http://127.0.0.1:{front.port}"
        options = {"viewport": {"width": 1100, "height": 900}, **options}
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(self.origin + where)

    @property
    def foreign(self) -> list[str]:
        """What it asked other hosts for."""
        own = (f"{self.origin}/", "data:", "blob:")
        return [url for url in self.asked if not url.startswith(own)]

    def run(self) -> None:
        self.page.get_by_role("button", name="Run").click()

    def tool(self, name: str) -> str:
        """The line or program that it shows for a tool."""
        self.page.get_by_role("radio", name=name, exact=True).check(force=True)
        return self.page.locator("#code").inner_text()

    def shot(self, name: str, top: int = 0, bottom: int = 10_000) -> None:
        """Write a picture of the page, or of a part of it, with few colours: then it is small."""
        if not SHOTS:
            return
        self.page.evaluate("document.activeElement.blur()")
        whole = Image.open(BytesIO(self.page.screenshot(full_page=True))).convert("RGB")
        part = whole.crop((0, top, whole.width, min(bottom, whole.height)))
        part.quantize(256, dither=Image.Dither.NONE).save(Path(SHOTS, f"{name}.png"), optimize=True)


@pytest.fixture
def visit(browser: Browser, front: FrontProcess, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A page; a test's parameter gives the options of its context, and where to go."""
    options = {"where": "/docs#/search", **getattr(request, "param", {})}
    found = Visit(browser, front, **options)
    expect(found.page.locator("#endpoints a")).to_have_count(5, timeout=PATIENCE_MS)
    yield found
    assert found.foreign == []
    found.context.close()


def answered(visit: Visit, status: str = "200 OK") -> None:
    expect(visit.page.locator("#state")).to_contain_text(status, timeout=PATIENCE_MS)


def opened_with(where: str, **options: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("visit", [{"where": where, **options}], indirect=True)


@opened_with("/")
def test_it_loads_without_a_message_and_shows_the_flow(visit: Visit) -> None:
    page = visit.page
    assert visit.said == []
    assert page.title() == "Album"
    boxes = page.locator("#graph a")
    assert boxes.evaluate_all("all => all.map(each => each.dataset.node)") == [
        *("colours", "pictures", "words", "together", "log")
    ]
    assert "2 replicas" in boxes.nth(0).text_content()
    assert "2 shards" in boxes.nth(1).text_content()
    assert "floating" in boxes.nth(4).text_content()
    assert page.locator("#graph path").count() == 7
    card = page.locator("#node-pictures")
    expect(card).to_contain_text("Keeps five pictures, and finds those of a colour.")
    expect(card).to_contain_text("whose colour is nearest")
    expect(card.locator("tr").first).to_have_text(re.compile("top_k.*3"))


def test_an_endpoint_is_tried(visit: Visit) -> None:
    page = visit.page
    page.locator("#text").fill("a red evening")
    page.get_by_label("top_k").fill("2")
    visit.run()
    answered(visit, "200 OK")
    expect(page.locator("#state")).to_contain_text("1 Document")
    matches = page.locator("#as-documents ol > li")
    expect(matches).to_have_count(2)
    expect(matches.first).to_contain_text("distance")
    expect(matches.first).to_contain_text("Hills under a red sky")
    assert matches.locator("img").evaluate_all("all => all.map(each => each.naturalWidth)") == [
        *(144, 144)
    ]
    assert "(3) 0.76863, 0.22745, 0.19216" in page.locator("#as-documents").inner_text()
    visit.shot("page-light", bottom=1510)
    page.get_by_role("radio", name="Raw JSON").check(force=True)
    assert json.loads(page.locator("#as-raw").inner_text())["data"]["docs"]
    assert visit.said == []


@opened_with("/docs#/remove")
def test_a_failure_is_shown_with_its_reason(visit: Visit) -> None:
    visit.run()
    answered(visit, "ms")
    bad = visit.page.locator("#as-documents .bad")
    expect(bad.first).to_contain_text("PermissionError")
    expect(bad.first).to_contain_text("the album is only for reading")
    visit.shot("failed")


def test_a_mistake_in_the_form_is_told_and_not_sent(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("radio", name="JSON", exact=True).check(force=True)
    page.locator("#json").fill('{"text": "a"}\n{"text": ')
    before = len(visit.asked)
    visit.run()
    expect(page.locator("#as-documents .bad")).to_contain_text("JSON, line 2")
    assert len(visit.asked) == before


def test_lines_of_json_are_documents(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("radio", name="JSON", exact=True).check(force=True)
    page.locator("#json").fill('{"text": "red"}\n{"text": "blue"}\n')
    visit.run()
    answered(visit, "2 Documents")
    expect(page.locator("#as-documents > article")).to_have_count(2)


@pytest.mark.parametrize("field", ["buffer", "uri"])
def test_a_picture_is_dropped(visit: Visit, tmp_path: Path, field: str) -> None:
    page = visit.page
    visit.run()
    answered(visit)
    page.locator("#as-documents ol img").first.wait_for()
    # The picture of a match, as a file that is dropped from elsewhere.
    page.evaluate(
        """async () => {
            const url = document.querySelector("#as-documents ol img").src;
            const bytes = Uint8Array.from(atob(url.split(",")[1]), (each) => each.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "my hills.png", { type: "image/png" }));
            const event = new DragEvent("drop", { dataTransfer: data, bubbles: true });
            document.querySelector("#drop").dispatchEvent(event);
        }"""
    )
    expect(page.locator("#files img")).to_have_count(1)
    page.locator("#field").select_option(field)
    visit.run()
    answered(visit)
    expect(page.locator("#as-documents > article > img")).to_have_count(1)
    expect(page.locator("#as-documents ol > li").first).to_contain_text("distance 0")
    assert "'my hills.png'" in visit.tool("curl")
    visit.shot(f"picture-{field}")


@opened_with("/docs#/wait")
def test_a_request_is_stopped(visit: Visit) -> None:
    page = visit.page
    page.get_by_label("seconds").fill("0.5")
    visit.run()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#state")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Run")).to_be_enabled()


@opened_with("/docs#/search", color_scheme="dark", viewport={"width": 400, "height": 800})
def test_a_narrow_dark_screen_has_all_of_it(visit: Visit) -> None:
    page = visit.page
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert back == "rgb(20, 23, 28)"
    visit.run()
    answered(visit)
    page.locator("#as-documents ol img").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    visit.shot("page-dark", 500, 2560)
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.reload()
    expect(page.locator("#endpoints a")).to_have_count(5)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit.page

    def focused() -> str:
        return str(page.evaluate("document.activeElement.id || document.activeElement.textContent"))

    seen = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(focused())
        width = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        is_tab = page.evaluate("document.activeElement.type === 'radio'")
        is_box = page.evaluate("document.activeElement.namespaceURI.includes('svg')")
        assert is_tab or is_box or width == "solid", f"{focused()} does not show that it has focus"
        if focused() == "run":
            break
    assert [name for name in seen if name in ("theme", "graph", "text", "run")] == [
        *("theme", "graph", "text", "run")
    ]
    assert any(name.startswith("/describe") for name in seen)
    page.locator("#text").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("blue")
    page.keyboard.press("Control+Enter")
    answered(visit)
    expect(page.locator("#as-documents ol > li").first).to_contain_text("blue")
    assert focused() == "text"
    page.locator("#input input:checked").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#json")).to_be_visible()


def test_each_tool_gives_what_the_page_gives(
    visit: Visit, shared_shell: Shell, tmp_path: Path
) -> None:
    page = visit.page
    page.locator("#text").fill('it\'s 100% "red" \\ red')
    page.get_by_label("top_k").fill("1")
    for name in ("curl", "jina post", "Python"):
        text = visit.tool(name)
        program = ["python3", "-c", text] if name == "Python" else ["bash", "-c", text]
        done = subprocess.run(
            program,
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
            env={**shared_shell.environment, "PATH": f"{Path(JINA).parent}:{os.environ['PATH']}"},
        )
        assert done.returncode == 0, done.stderr
        assert "Hills under a red sky" in done.stdout, f"{name}: {done.stdout}"
    assert page.evaluate(f"(async () => {{{visit.tool('JavaScript')}}})().then(() => 'ran')")
    assert any("red-hills" in each or "JSHandle" in each or "Object" in each for each in visit.said)


def test_the_line_is_copied(visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    line = visit.tool("curl")
    visit.page.get_by_role("button", name="Copy").click()
    expect(visit.page.locator("#copy")).to_have_text("Copied")
    assert visit.page.evaluate("navigator.clipboard.readText()") == line


def test_what_an_executor_says_is_only_text(visit: Visit) -> None:
    page = visit.page
    text = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    page.locator("#text").fill(text)
    visit.run()
    answered(visit)
    expect(page.locator("#as-documents .text").first).to_have_text(text)
    assert page.locator("#as-documents script").count() == 0
    assert visit.said == []


def test_a_page_waits_for_its_flow(browser: Browser) -> None:
    with front_beside("ipc:///nowhere/front.ipc") as front:
        visit = Visit(browser, front, "/")
        expect(visit.page.locator("#notice")).to_contain_text("Trying again every two seconds.")
        assert not visit.page.locator("#main").is_visible()
        visit.context.close()


def test_a_key_is_asked_for_and_kept(browser: Browser, address: str, shared_shell: Shell) -> None:
    key = "a-key-of-32-characters-0123456789"
    keys = shared_shell.write("keys", f"{key}\n")
    keys.chmod(0o600)
    with front_beside(address, flow="album", api_key_file=str(keys)) as front:
        known = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: front.ask("GET", "/flow.json", headers=known).status == 200, WAIT_S)
        visit = Visit(browser, front, "/docs#/search")
        page = visit.page
        expect(page.locator("#whykey")).to_have_text("This Flow asks for a key.")
        expect(page.locator("#key")).to_be_focused()
        page.keyboard.type("another")
        page.keyboard.press("Enter")
        expect(page.locator("#whykey")).to_have_text("This key is not accepted.")
        page.locator("#key").fill(key)
        page.keyboard.press("Enter")
        visit.run()
        answered(visit)
        assert 'Bearer $JINA_API_KEY"' in visit.tool("curl")
        page.reload()
        expect(page.locator("#endpoints a")).to_have_count(5, timeout=PATIENCE_MS)
        assert not page.locator("#keys").is_visible()
        assert key not in page.content()
        assert visit.foreign == []
        visit.context.close()
