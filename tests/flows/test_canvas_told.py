"""What the canvas tells of a run: who made it, from where it was kept, item by item, what was written down, what it costs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from canvaskit import card, opened
from studio import Studio, broken, builder

Json = Any
REF = {"_type": "reference", "nodeId": "parts", "outputKey": "items"}
SCENES: list[Json] = [
    {"id": "parts", "type": "split_text", "title": "Scenes", "config": {"text": "one. two. three."}, "position": [0, 0]},
    {"id": "pic", "type": "text_to_image", "title": "Pictures", "config": {"prompt": REF}, "position": [360, 0]},  # each item has a seed of its own, and so a result
]


def test_a_node_says_who_made_it_and_of_its_items_which_failed_why_and_what_was_kept(page: Any, tmp_path: Path) -> None:
    studio = Studio()
    studio.faults["/pic/1"] = [broken("the provider says no: no foxes on Sundays")]
    with builder(tmp_path, studio) as flows:
        opened(page, flows, SCENES)
        page.get_by_role("button", name="Run", exact=True).click()
        pictures = card(page, "Pictures")
        pictures.get_by_text(re.compile("^[0-2] of 3, 1 failed$")).wait_for()  # what fails ends those beside it, wherever they are
        page.locator("[data-node=pic] i[data-status=failed]").wait_for()
        pictures.click(position={"x": 60, "y": 12})
        told = page.get_by_role("region", name="Last run")
        told.get_by_text("no foxes on Sundays").first.wait_for()
        told.get_by_text("Log", exact=True).click()
        told.get_by_text("item 2 · ").wait_for()
        page.get_by_role("button", name="Retry").click()
        page.get_by_role("button", name="Run", exact=True).wait_for()
        pictures.get_by_text("3 of 3").wait_for()
        pictures.get_by_text("This machine, a sample").wait_for()
        page.locator(".react-flow__edgelabel-renderer").get_by_text("×3").wait_for()  # on the link, how many went through

        first = page.url.partition("run=")[2]
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_url(lambda url: "run=" in url and first not in url)
        pictures.get_by_text("3 cached").wait_for()
        card(page, "Scenes").get_by_text(f"cached from run {first[-6:]}").wait_for()
        told.get_by_text("the same inputs gave this in run").first.wait_for()
        assert page.get_by_role("link", name="Run in the console").get_attribute("href").startswith(flows.server.url.removesuffix("/api") + "/execution/")


def test_what_a_run_costs_is_known_before_it_and_after_it_and_the_cap_stands_beside(page: Any, tmp_path: Path) -> None:
    nodes = [{"id": "pic", "type": "text_to_image", "title": "Picture", "config": {"prompt": "a fox"}, "position": [0, 0]}]
    with builder(tmp_path, Studio("fal"), run_usd_max=0.5) as flows:
        flow = opened(page, flows, nodes)
        price = page.get_by_role("banner").get_by_text(re.compile(r"^about \$0\.0"))
        price.wait_for()
        assert "At most $0.50 a run" in price.get_attribute("title")
        page.get_by_role("button", name="Checklist").click()
        page.get_by_text(re.compile(r"One run: about \$0\.0.*At most \$0\.50 a run")).wait_for()
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_text(re.compile(r"1 of 1 nodes, .*\$0\.01 spent")).wait_for()
        page.goto(f"{flows.url}/?view=runs&of={flow}")
        page.get_by_text(re.compile(r"1 node · \$0\.01")).wait_for()
    with builder(tmp_path / "poor", Studio("fal"), run_usd_max=0.0001) as flows:
        opened(page, flows, nodes)
        page.get_by_role("banner").get_by_text("over the cap of").wait_for()


def test_a_sound_is_drawn_and_a_film_has_a_still_picture(page: Any, tmp_path: Path) -> None:
    nodes = [
        {"id": "voice", "type": "text_to_speech", "title": "Voice", "config": {"text": "A fox came by at night."}, "position": [0, 0]},
        {"id": "clip", "type": "text_to_video", "title": "Clip", "config": {"prompt": "a fox", "duration": 1}, "position": [360, 0]},
    ]
    with builder(tmp_path, real=True) as flows:
        opened(page, flows, nodes)
        page.get_by_role("button", name="Run", exact=True).click()
        sound = card(page, "Voice").get_by_role("group", name="Voice")
        sound.locator("[data-outline]").wait_for()
        assert len(sound.locator("[data-outline] path").first.get_attribute("d").split("M")) > 100  # as many bars as the outline has parts
        assert re.search(r"of 0:0[1-9]", sound.get_by_role("slider").get_attribute("aria-valuetext"))
        film = card(page, "Clip").locator("video")
        film.wait_for()
        still = film.get_attribute("poster")
        size = page.evaluate(
            "src => new Promise(done => { const i = new Image(); i.onload = () => done(i.naturalWidth); i.onerror = () => done(0); i.src = src; })", still
        )
        assert size > 100
