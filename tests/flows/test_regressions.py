"""
What the original got wrong, item by item, and the tests that hold it. Those that no other file has are here.

Each item stands in LIST with the tests that would fail if it came back; that they are there is tested, too.
Source: flow-builder.md §8.
"""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flowkit import flow, node, ref
from PIL import Image
from provider_fake import Answer, Providers, providers
from studio import Studio, broken, builder, picture

from batuta.testing import embedded
from batuta_flows.compiler import compile_flow

Json = Any
HERE = Path(__file__).parent

LIST: list[tuple[str, list[str]]] = [
    ("another order of the list keeps the links", ["test_compile::test_links_survive_any_order_of_the_list"]),
    ("a reference inside an array", ["test_compile::test_references_inside_a_list_reach_the_worker"]),
    ("a reference to nothing, to itself, in a circle is refused with its field", ["test_check::test_a_problem_is_named_by_node_and_field"]),
    ("a later node may be referred to", ["test_check::test_the_order_of_the_list_does_not_matter", "test_compile::test_links_survive_any_order_of_the_list"]),
    ("what is typed as ${…} arrives as typed", ["test_compile::test_what_a_person_typed_arrives_letter_by_letter", "test_an_id_is_a_name_and_no_expression"]),
    ("unequal lists name both nodes", ["test_compile::test_lists_of_other_lengths_are_named_when_they_meet"]),
    ("an empty list", ["test_compile::test_an_empty_list_is_a_node_without_items"]),
    ("clips of two sizes are joined, with each transition", ["test_local::test_clips_of_different_size_are_joined"]),
    ("a list of uploads", ["test_a_list_of_uploads_is_a_list_of_media"]),
    ("texts and lists are split: array, json_path, sentence, words", ["test_local::test_texts_and_lists_are_split"]),
    ("volume 0 is silence", ["test_local::test_volume_zero_mutes", "test_check::test_volume_zero_is_a_volume"]),
    ('"5 seconds"', ["test_document::test_what_the_originals_forms_wrote_as_text_becomes_what_was_meant"]),
    ("trim, crop and look are applied", ["test_local::test_a_film_is_trimmed_cropped_and_coloured"]),
    ("speech is aligned with its scene", ["test_local::test_speech_begins_with_its_scene_and_the_scene_waits_for_it"]),
    ("any words can be subtitles", ["test_local::test_any_words_can_be_subtitles"]),
    ("volumes are not divided", ["test_local::test_volumes_are_not_divided_by_the_number_of_voices"]),
    ("nodes side by side never overwrite each other's files", ["test_nodes_side_by_side_keep_their_own_files"]),
    ("every URL among results can be fetched", ["test_backend::test_every_url_among_results_can_be_fetched",
                                                "test_originals::test_it_runs_to_its_end_and_its_media_play"]),
    ("item 2 of 3 fails: 1 and 3 are kept, a retry runs 2 alone", ["test_backend::test_an_item_that_fails_is_retried_alone"]),
    ("TIMED_OUT and TERMINATED are shown and recorded", ["test_a_run_that_was_terminated_or_timed_out_is_shown_and_recorded",
                                                         "test_view::test_every_status_of_a_workflow_has_its_word"]),
    ("a run that nobody watched is in the history", ["test_backend::test_a_run_that_nobody_watched_is_in_the_history"]),
    ("an orchestrator that is away is no 404", ["test_backend::test_an_orchestrator_that_is_away_is_said_so"]),
    ("an unknown type is refused before anything starts", ["test_backend::test_what_cannot_run_is_refused_and_says_why"]),
    ("cancelling reaches the provider", ["test_backend::test_a_cancelled_run_cancels_its_jobs_at_the_provider",
                                         "test_providers::test_a_cancelled_run_cancels_the_request"]),
    ("a restart in the middle of a run loses nothing", ["test_crash::test_a_run_that_is_struck_between_all_of_its_nodes_completes_and_pays_once"]),
    ("a failed node turns red, and asking stops", ["test_canvas::test_a_failed_node_is_red_and_says_why_and_is_tried_again",
                                                   "test_nothing_is_asked_any_more_when_a_run_has_failed"]),
    ("no other provider in silence", ["test_a_provider_that_fails_is_not_replaced_in_silence"]),
    ("a flow of more than 100 KB", ["test_backend::test_a_flow_of_more_than_100_kb_is_taken"]),
    ("the 51st run: the old route shows 50, the database has all", ["test_backend::test_the_51st_run_is_on_the_second_page"]),
]  # fmt: skip


@pytest.mark.parametrize(("item", "tests"), LIST, ids=[item for item, _ in LIST])
def test_each_item_is_held_by_tests_that_are_there(item: str, tests: list[str]) -> None:
    for named in tests:
        file, _, name = named.rpartition("::")
        there = {one.name for one in ast.parse((HERE / f"{file or 'test_regressions'}.py").read_text()).body if isinstance(one, ast.FunctionDef)}
        assert name in there, f"{item}: there is no {named}"


# -- items that no other file has ------------------------------------------------------------------------------------------------------


@pytest.fixture
def world() -> Iterator[Providers]:
    with providers() as known:
        yield known


def test_an_id_is_a_name_and_no_expression(tmp_path: Path) -> None:
    with builder(tmp_path) as flows:
        status = flows.ended(flows.run([node("${workflow.input.a}", "text_to_text", prompt="x"), node("${workflow.input.b}", "text_to_text", prompt=["y"])]))
    assert status["status"] == "completed"
    assert {result["nodeId"] for result in status["results"]} == {"${workflow.input.a}", "${workflow.input.b}"}
    assert {job.key.split("/")[1] for job in flows.studio.submitted} == {"${workflow.input.a}", "${workflow.input.b}"}


def test_a_list_of_uploads_is_a_list_of_media(tmp_path: Path, world: Providers) -> None:
    with builder(tmp_path, real=True, fetch_private=True) as flows:
        _, kept = flows.ask("POST", "/assets?name=mine.png", picture(9), {"Content-Type": "image/png"})
        files = [kept["files"][0]["asset"], {"name": "b.png", "url": f"{world.url}/media/b.png"}, f"{world.url}/media/c.png"]
        status = flows.ended(flows.run([
            node("files", "upload_files", sourceType="URL", assetType="Image", files=files),
            node("each", "image_to_image", imageUrl=ref("files", "files"), prompt="pencil"),
        ]))  # fmt: skip
        assert status["status"] == "completed", status["nodeStatuses"]
        made = {result["nodeId"]: result["data"]["output"] for result in status["results"]}
        assert made["files"]["totalFiles"] == 3 == len(made["files"]["files"]) and len(made["each"]["imageUrl"]) == 3


def test_nodes_side_by_side_keep_their_own_files(tmp_path: Path) -> None:
    nodes = [node(f"p{seed}", "text_to_image", prompt="a mountain", seed=seed, size="96x64") for seed in range(8)]
    with builder(tmp_path, real=True) as flows:
        runs = [flows.run([*nodes, node(f"own{i}", "text_to_image", prompt="a mountain", seed=100 + i, size="96x64")]) for i in range(2)]
        urls = {}
        for run_id in runs:
            for result in flows.ended(run_id)["results"]:
                output = result["data"]["output"]
                _, content = flows.ask("GET", "/assets/" + output["imageUrl"].rpartition("/")[2])
                assert json.loads(Image.open(io.BytesIO(content)).text["batuta-flow"])["seed"] == output["seed"]  # type: ignore[attr-defined]
                urls[output["seed"]] = output["imageUrl"]
        assert set(urls) == {*range(8), 100, 101} and len(set(urls.values())) == 10


def test_a_run_that_was_terminated_or_timed_out_is_shown_and_recorded(tmp_path: Path) -> None:
    with embedded() as server, builder(tmp_path, server=server, workers=False) as flows:
        terminated = flows.run([node("a", "text_to_text", prompt="x")])
        server.client.terminate(terminated, "from another window")
        definition = {**compile_flow(flow(node("a", "text_to_text", prompt="y"))).definition, "timeoutSeconds": 5, "timeoutPolicy": "TIME_OUT_WF"}
        server.client.register_workflow({**definition, "version": 1}, overwrite=True)
        timed_out = flows.run([node("a", "text_to_text", prompt="y")])
        server.clock.advance(seconds=6)
        for run_id, word, why in ((terminated, "cancelled", "from another window"), (timed_out, "failed", "")):
            status = flows.status(run_id)
            assert status["status"] == word and why in (status["error"] or "") and status["endTime"]
        flows.until(lambda: all(run["endTime"] for run in flows.ask("GET", "/workflow/history")[1]))
        assert {run["workflowId"]: run["status"] for run in flows.ask("GET", "/workflow/history")[1]} == {terminated: "cancelled", timed_out: "failed"}


def test_a_provider_that_fails_is_not_replaced_in_silence(tmp_path: Path, world: Providers) -> None:
    pytest.importorskip("openai", reason="NOT TESTED: OpenAI's client is not installed")
    world.faults = {"POST /fal-ai": [Answer(422, {"detail": [{"loc": ["body", "voice"], "msg": "no such voice", "type": "value_error"}]})] * 9}
    keys = {"openai_api_key": "k", "openai_base_url": f"{world.url}/v1", "fal_key": "a:b", "fal_queue_url": world.url}
    with builder(tmp_path, real=True, **keys) as flows:
        status = flows.ended(flows.run([node("a", "text_to_speech", text="hello", voice="af_bella")]))
    (red,) = status["nodeStatuses"]
    assert (status["status"], red["status"]) == ("failed", "failed") and "no such voice" in red["error"] and status["results"][0]["success"] is False
    assert {asked.path.split("/")[1] for asked in world.submitted()} == {"fal-ai"}, "nobody else was asked"


def test_nothing_is_asked_any_more_when_a_run_has_failed(page: Any, tmp_path: Path) -> None:
    studio = Studio()
    studio.faults["/a/"] = [broken("no paint")]
    asked: list[str] = []
    with builder(tmp_path, studio) as flows:
        _, saved = flows.ask("POST", "/flows", {"workflowName": "Red", "nodes": [node("a", "text_to_image", prompt="x"), node("b", "text_to_text", prompt="y")]})
        page.on("request", lambda request: asked.append(request.url))
        page.clock.install()
        page.goto(f"{flows.url}/?flow={saved['id']}")
        page.get_by_role("button", name="Run", exact=True).click()
        page.locator("[data-status=failed]").get_by_text("no paint").wait_for()
        page.get_by_role("button", name="Run", exact=True).wait_for()  # instead of Cancel: the run is over
        assert any(url.endswith("/events") for url in asked)
        asked.clear()
        for _ in range(5):
            page.clock.run_for(60_000)
        page.evaluate("fetch('/health')")  # the last to be asked: what was due before it has been asked
    assert [url for url in asked if "/workflow/" in url] == []
