"""Everybody can use it: axe finds nothing against WCAG 2.2 AA, in both themes and both widths, and the keyboard is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import Stage

AXE = Path(__file__).parents[2] / "ui" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PLACES = [
    ("/", "tasks waiting"),
    ("/executions", "firmware-ci-cd-pipeline"),
    ("/execution/{failed}", "attempt 2"),
    ("/execution/{forked}?view=tasks", "build_esp32"),
    ("/execution/{failed}?view=data", "Variables"),
    ("/execution/{failed}?view=definition&panel=off", "firmware-ci-cd-pipeline"),
    ("/execution/{looped}?view=events", "probe__1"),
    ("/definitions", "order-fulfilment"),
    ("/definitions/firmware-ci-cd-pipeline", "It may be registered."),
    ("/definitions/firmware-ci-cd-pipeline?view=versions", "1 version"),
    ("/definitions/notify-customer?view=uses", "tell_customer"),
    ("/tasks", "platformio_compile"),
    ("/tasks/platformio_compile", "Must answer in"),
    ("/start/firmware-ci-cd-pipeline?like={failed}&options=1", "Correlation id"),
    ("/failures", "is full"),
    ("/server", "Settings in force"),
    ("/execution/none", "There is no such execution"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(browser: Any, stage: Stage, theme: str, width: int) -> None:
    if not AXE.exists():
        pytest.skip("NOT TESTED: axe-core is not installed; run: make ui")
    # The policy of the page lets no script in from outside, a test's own neither.
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=theme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    faults = []
    for place, text in PLACES:
        page.goto(stage.url + place.format(**stage.ids))
        page.get_by_text(text).first.wait_for(state="attached")
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("tags => axe.run({ runOnly: tags })", TAGS)
        faults += [f"{place}: {fault['id']}: {fault['help']}: {fault['nodes'][0]['html'][:200]}" for fault in found["violations"]]
    context.close()
    assert not faults, "\n".join(faults)


def test_the_keyboard_is_enough_to_find_what_failed_and_retry_it(page: Any, stage: Stage) -> None:
    started = stage.scenes.failed()
    page.goto(f"{stage.url}/executions?status=FAILED&name=firmware-ci-cd-pipeline")
    page.get_by_role("table").get_by_text("platformio_compile").first.wait_for()
    page.get_by_role("table").get_by_role("row").nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/execution/{started}")
    page.get_by_role("button", name="Retry").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog")
    dialog.wait_for()
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.locator("button:focus", has_text="Retry").wait_for()


@pytest.mark.parametrize("place", ["/", "/executions", "/execution/{failed}", "/execution/{large}?panel=off"])
def test_nothing_sticks_out_of_a_narrow_screen(browser: Any, stage: Stage, place: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(stage.url + place.format(**stage.ids))
    page.get_by_role("button", name="Live").wait_for()
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('main').scrollWidth") <= 390
    context.close()


def test_no_column_is_cut_off_on_a_narrow_screen(browser: Any, stage: Stage) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(stage.url + "/executions")
    page.get_by_role("table").get_by_text("firmware-ci-cd-pipeline").first.wait_for()
    assert page.evaluate("(t => t.scrollWidth <= t.clientWidth)(document.querySelector('[role=table] > div'))")
    context.close()
