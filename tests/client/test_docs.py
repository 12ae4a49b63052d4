"""The how-to pages of the client: their code runs and does what they say."""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

from client_stage import Play, ended
from conductor_fake import ConductorFake

from batuta.client import WorkerHost, workflow
from batuta.client.builder import Flow
from batuta.client.builder.operators import Operators
from batuta.client.decorator import worker as make_worker

PAGES = Path(__file__).parents[2] / "docs" / "howto"


def code_of(page: str) -> dict[str, Any]:
    """What the page's Python blocks define, run one after another."""
    names: dict[str, Any] = {"__name__": __name__}
    for block in re.findall(r"^```python\n(.*?)^```", (PAGES / page).read_text(), re.MULTILINE | re.DOTALL):
        exec(compile(block, page, "exec", dont_inherit=True), names)
        names.setdefault("_definitions", [])
        if "wf" in names:
            names["_definitions"].append(names["wf"].to_dict())
    return names


def test_the_workers_of_the_page_do_what_it_says(fake: ConductorFake, play: Play) -> None:
    code = code_of("write-a-worker.md")
    tasks = {
        "resize": fake.put_task("resize", {"path": "a.png", "width": 80}),
        "crop": fake.put_task("crop", {"path": "a.png", "area": {"width": 5}, "other": 1}),
        "render": fake.put_task("render", {"scene": "s"}),
        "build": fake.put_task("build", {"steps": ["configure", "compile"]}),
        "wrong": fake.put_task("resize", {"path": "a.png", "width": "3 cm"}),
    }

    async def scene(host: WorkerHost) -> None:
        await ended(fake, *tasks.values())

    play([code[name] for name in ("resize", "crop", "render", "build")], scene)
    outputs = {name: fake.tasks[task_id]["outputData"] for name, task_id in tasks.items()}
    assert outputs["resize"] == {"path": "a-80x600.png", "pixels": 48_000}
    assert outputs["crop"] == {"path": "a.png", "area": {"width": 5, "height": 600}, "tags": []}
    assert outputs["render"] == {"image": "s.png"}
    assert outputs["build"] == {"done": ["configure", "compile"], "attempt": 1}
    assert fake.tasks[tasks["wrong"]]["reasonForIncompletion"] == "argument 'width' of worker 'resize' is '3 cm': Expected int, got str"
    assert code["resize"]("a.png", 80) == outputs["resize"]


def test_the_program_of_the_page_runs(fake: ConductorFake) -> None:
    code = code_of("write-a-worker.md")
    thumbnails = workflow("thumbnails")
    thumbnails.task("resize")
    fake.definitions["thumbnails"] = thumbnails.to_dict()
    assert asyncio.run(code["main"](fake.url)) == {"path": "a-80x600.png", "pixels": 48_000}


def test_the_definitions_of_the_page_are_valid_and_deployed(fake: ConductorFake) -> None:
    code = code_of("build-a-workflow-in-code.md")
    names = [definition["name"] for definition in code["_definitions"]]
    assert names == ["order", "order", "branches", "loops"]
    assert code["definition"]["outputParameters"] == {"receipt": "${charge.output.receipt}"}
    fake.definitions.clear()
    code["wf"] = workflow("order")
    code["wf"].task("check_stock")
    execution_id = code["deploy"](fake.url)
    assert fake.executions[execution_id]["input"] == {"order_id": 7, "lines": []}
    assert set(fake.task_defs) == {"check_stock", "charge"}


def test_every_option_of_a_worker_is_on_the_page() -> None:
    page = (PAGES / "write-a-worker.md").read_text()
    for option in inspect.signature(make_worker).parameters:
        assert option == "name" or f"`{option}`" in page, option


def test_every_constructor_of_a_workflow_is_on_the_page() -> None:
    page = (PAGES / "build-a-workflow-in-code.md").read_text()
    made = {name for name in {**vars(Operators), **vars(Flow)} if not name.startswith("_")} - {"add", "to_dict", "output"}
    for name in made:
        assert f"wf.{name}" in page, name


