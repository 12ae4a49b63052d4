"""
How much work a flow of 200 nodes makes for the canvas: cards drawn again while something is done, and frames a second.

`python tests/flows/canvas_work.py` prints the figures; the tests count cards only, because a clock tells more of the machine than of the canvas.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

Json = Any
COLUMNS: Final = 20

# React's own tree, asked at every commit as its developer tools do: a card is drawn again when its function ran for this commit.
COUNTER: Final = """
const PERFORMED = 1;
window.__drawn = [];
function walk(now, before) {
  for (let child = now.child; child; child = child.sibling) {
    const old = child.alternate;
    const isNew = !before || !old;
    const node = child.memoizedProps && child.memoizedProps.id;
    if ((child.tag === 0 || child.tag === 15) && (child.flags & PERFORMED)) {
      let host = child.child;
      while (host && host.tag !== 5) host = host.child;
      if (host && host.type === 'article' && typeof node === 'string') window.__drawn.push(node);
    }
    if (isNew || child.child !== old.child) walk(child, isNew ? null : old);
  }
}
window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
  supportsFiber: true, renderers: new Map(), checkDCE() {}, inject() { return 1; }, onCommitFiberUnmount() {}, onPostCommitFiberRoot() {},
  onCommitFiberRoot(_, root) { walk(root.current, root.current.alternate); },
};
"""

# A place on the canvas where no card is.
FREE: Final = """
() => {
  for (let x = 300; x < 1300; x += 10) for (let y = 80; y < 700; y += 10)
    if (document.elementFromPoint(x, y).classList.contains('react-flow__pane')) return [x, y];
}
"""

FRAMES: Final = """
window.__frames = [];
window.__meter = true;
(function tick(at) { window.__frames.push(at); if (window.__meter) requestAnimationFrame(tick); })(performance.now());
"""


def large(count: int = 200) -> list[Json]:
    """A flow of so many nodes in rows of twenty, each linked to the one before it."""
    found = []
    for number in range(count):
        row, column = divmod(number, COLUMNS)
        link = {"_type": "reference", "nodeId": f"n{number - 1}", "outputKey": "text"} if column else "Once"
        found.append({"id": f"n{number}", "type": "text_to_text", "title": f"Step {number}", "config": {"prompt": link}, "position": [column * 320, row * 260]})
    return found


def drawn(page: Any) -> list[str]:
    """Ids of the cards that were drawn since this was last asked, each as often as it was."""
    found: list[str] = page.evaluate("() => { const found = window.__drawn; window.__drawn = []; return found; }")
    return found


def calm(page: Any) -> None:
    """Nothing moves any more: all is kept, checked and drawn."""
    page.get_by_text("Saved", exact=True).wait_for()
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def drag(page: Any, title: str, steps: int = 30) -> None:
    """A card is taken by its head and moved about."""
    box = page.get_by_role("article", name=title, exact=True).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(x + 3 * step, y + 2 * step)
    page.mouse.up()


def _measured(page: Any, what: str, act: Any) -> None:
    drawn(page)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    before = _spent(session)
    page.evaluate(FRAMES)
    act()
    frames = page.evaluate("() => { window.__meter = false; return window.__frames; }")
    gaps = sorted(b - a for a, b in itertools.pairwise(frames))
    fps = 1000 * len(gaps) / sum(gaps)
    spent = {name: (seconds - before[name]) * 1000 / len(gaps) for name, seconds in _spent(session).items()}
    print(f"{what:22} {fps:5.1f} frames a second, 95 of 100 within {gaps[int(len(gaps) * 0.95)]:5.1f} ms, {len(drawn(page))} cards drawn;", end=" ")
    print("of a frame: " + ", ".join(f"{name[:-8]} {ms:.1f} ms" for name, ms in spent.items()))


def _spent(session: Any) -> dict[str, float]:
    found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")}


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    from playwright.sync_api import sync_playwright
    from studio import builder

    from conftest import CHROMIUM

    with tempfile.TemporaryDirectory() as directory, builder(Path(directory)) as flows, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(COUNTER)
        _, flow = flows.ask("POST", "/flows", {"workflowName": "Large", "nodes": large()})
        page.goto(f"{flows.url}/?flow={flow['id']}")
        page.locator(".react-flow__node").first.wait_for()
        page.mouse.move(720, 480)
        calm(page)
        page.wait_for_timeout(2000)

        def zoom() -> None:
            for turn in range(60):
                page.mouse.wheel(0, -120 if turn % 30 < 15 else 120)

        def pan() -> None:
            x, y = page.evaluate(FREE)
            page.mouse.move(x, y)
            page.mouse.down()
            for turn in range(60):
                page.mouse.move(x + 6 * (turn % 30), y + 4 * (turn % 30))
            page.mouse.up()

        _measured(page, "zoom, all in sight", zoom)
        for _ in range(8):
            page.mouse.wheel(0, -240)
        page.evaluate("() => new Promise(done => setTimeout(done, 300))")
        _measured(page, "zoom, some in sight", zoom)
        titles = [article.get_attribute("aria-label") for article in page.get_by_role("article").all()]
        middle = next(title for title in titles[len(titles) // 2 :] if title)
        _measured(page, "drag one card", lambda: drag(page, middle, 60))
        _measured(page, "pan", pan)
        browser.close()


if __name__ == "__main__":
    main()
