"""Much at once: a burst of updates does not freeze the tab, and what is shown in the end is what is there."""

from __future__ import annotations

from typing import Any

from conftest import Stage

from batuta.testing import embedded

WATCH_FRAMES = """() => {
    window.longest = 0;
    let last = performance.now();
    const look = now => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""


def test_a_burst_of_five_thousand_updates_does_not_freeze_the_tab(page: Any) -> None:
    with embedded() as server:
        from scenes import definition, node

        # Two thousand executions that start and end by themselves: their starts and ends and those of their tasks are all told.
        server.client.register_workflow(definition("burst", node("SET_VARIABLE", "a"), node("NOOP", "b")), overwrite=True)
        page.goto(f"http://127.0.0.1:{server.port}/executions")
        page.get_by_role("button", name="Live").wait_for()
        page.evaluate(WATCH_FRAMES)
        for n in range(2_500):
            server.client.start_workflow("burst", {"n": n})
        page.get_by_text("2,500 executions").wait_for(timeout=20_000)
        assert page.evaluate("window.longest") < 500


def test_an_execution_that_grows_is_followed(page: Any, stage: Stage) -> None:
    started = stage.scenes.fanned(12, done=0, name="grow")
    page.goto(f"{stage.url}/execution/{started}")
    page.get_by_role("button", name="thumb_0", exact=True).wait_for()
    for _ in range(12):
        stage.scenes.do("grow", {"bytes": 1})
    page.get_by_role("list", name="Tasks in time").get_by_role("button", name="publish").wait_for()
    page.get_by_text("15 tasks").wait_for()
