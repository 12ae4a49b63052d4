"""The console as it comes to a browser: its policy, its size, its frame, its keys, and that it never lies about being live."""

from __future__ import annotations

import re
import urllib.request
from typing import Any

import pytest
from lookkit import Look, Stage

from batuta.testing import embedded

FIRST_LOAD_BYTES_MAX = 350 * 1024


def test_the_first_load_is_small_and_nothing_comes_from_elsewhere(page: Any, stage: Stage) -> None:
    loaded: dict[str, int] = {}

    def note(response: Any) -> None:
        if "/api/" not in response.url:
            loaded[response.url] = len(response.body()) if "content-encoding" not in response.headers else int(response.headers["content-length"])

    page.on("requestfinished", lambda request: note(request.response()))
    page.goto(stage.url)
    page.get_by_role("heading", name="Home").wait_for()
    page.wait_for_load_state("networkidle")
    assert loaded and all(url.startswith(stage.url) for url in loaded)
    assert sum(loaded.values()) <= FIRST_LOAD_BYTES_MAX, loaded


def test_a_page_may_do_nothing_that_its_policy_does_not_say(stage: Stage) -> None:
    with urllib.request.urlopen(stage.url) as answer:
        policy, html = answer.headers["content-security-policy"], answer.read().decode()
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    nonce = re.search(r"'nonce-([^']+)'", policy)
    assert nonce and f'content="{nonce[1]}"' in html and "__NONCE__" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|<style|style=", html)
    with urllib.request.urlopen(stage.url) as again:
        assert again.headers["content-security-policy"] != policy


def test_files_with_a_hash_are_kept_and_come_packed(stage: Stage) -> None:
    with urllib.request.urlopen(stage.url) as answer:
        script = re.search(r'src="(/assets/[^"]+\.js)"', answer.read().decode())
    assert script
    for coding in ("br", "gzip"):
        with urllib.request.urlopen(urllib.request.Request(stage.url + script[1], headers={"accept-encoding": coding})) as answer:
            assert answer.headers["content-encoding"] == coding and "immutable" in answer.headers["cache-control"]
            assert answer.headers["content-type"].startswith("text/javascript") and answer.headers["x-content-type-options"] == "nosniff"


def test_the_palette_goes_anywhere(page: Any, stage: Stage) -> None:
    page.goto(stage.url)
    page.get_by_role("heading", name="Home").wait_for()  # keys are heard from then on
    page.keyboard.press("Control+k")
    page.get_by_placeholder("A page, an id").fill(stage.ids["failed"][:13])
    page.get_by_role("option", name=re.compile(stage.ids["failed"])).click()
    page.wait_for_url(re.compile(stage.ids["failed"]))


def test_keys_lead_to_pages(page: Any, stage: Stage) -> None:
    page.goto(stage.url)
    page.get_by_role("heading", name="Home").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.get_by_role("searchbox", name="Words").wait_for()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_theme_that_was_chosen_stays(look: Look, stage: Stage, theme: str) -> None:
    page = look.page
    page.goto(stage.url)
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("menuitemradio", name=theme.capitalize()).click()
    page.reload()
    page.get_by_role("heading", name="Home").wait_for()
    assert page.evaluate("document.documentElement.dataset.theme") == theme


def test_the_rail_leads_to_what_the_operator_names(page: Any) -> None:
    links = "Flow Builder=http://localhost:5111, <b>&\"=https://grafana.lan/d?x=1"
    with embedded(console_links=links) as server:
        page.goto(f"http://127.0.0.1:{server.port}/")
        named = page.get_by_role("navigation", name="Pages").locator("a[href^=http]")
        named.first.wait_for()
        assert [(one.inner_text(), one.get_attribute("href")) for one in named.all()] == [
            ("Flow Builder", "http://localhost:5111"), ('<b>&"', "https://grafana.lan/d?x=1"),
        ]  # fmt: skip


def test_it_says_when_it_is_not_live(look: Look) -> None:
    page = look.page
    with embedded() as server:
        port = server.port
        page.goto(f"http://127.0.0.1:{port}/executions")
        page.get_by_role("button", name="Live").click()
        page.get_by_role("button", name="Held").click()
        page.get_by_role("button", name="Live").wait_for()
    page.get_by_role("button", name="Disconnected").wait_for()
    with embedded(port=port):
        page.get_by_role("button", name="Live").wait_for()
    look.expect_refusals()  # the browser itself reports requests that failed
