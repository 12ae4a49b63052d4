"""Money: what a run will cost before it runs, what models cost and until when they can be had, and caps that nothing passes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flowkit import film, flow, node, ref
from studio import Studio, builder

from batuta_flows.catalogue import NODE_TYPES
from batuta_flows.catalogue.models import CHECKED, MODELS, Model, model_of
from batuta_flows.document.check import problems
from batuta_flows.errors import NodeFailed
from batuta_flows.records.database import Database
from batuta_flows.records.spend import DAY_MS, Spend
from batuta_flows.runs.estimate import USUAL_ITEMS, estimate

Json = Any
FAL = frozenset({"fal"})

#   per          settings                                      usd        the same, for 0.01 a unit
PRICES: list[tuple[Any, Json, float]] = [
    ("image",     {},                                           0.01),
    ("megapixel", {},                                           0.01),
    ("megapixel", {"size": "2048x1024"},                        0.02),
    ("megapixel", {"size": "1100x1000"},                        0.02),
    ("second",    {"duration": 8},                              0.08),
    ("second",    {},                                           0.05),
    ("minute",    {"text": "x" * 100},                          0.01),
    ("minute",    {"text": "x" * 2000},                         0.03),
    ("1k_chars",  {"text": "x" * 500},                          0.005),
    ("1k_chars",  {"text": {"_type": "reference"}},             0.01),
    ("result",    {"duration": 99},                             0.01),
]  # fmt: skip


@pytest.mark.parametrize(("per", "settings", "usd"), PRICES)
def test_a_price_follows_its_unit(per: Any, settings: Json, usd: float) -> None:
    assert Model("m", 0.01, per).price_usd(settings) == pytest.approx(usd)


def test_tokens_cost_by_what_goes_in_and_what_comes_out() -> None:
    model = Model("m", 3.0, "1m_tokens", usd_out=30.0)
    assert model.price_usd({"prompt": "x" * 3000, "maxTokens": 100}) == pytest.approx(0.003 + 0.003)
    assert model.tokens_usd(1_000_000, 100_000) == pytest.approx(3 + 3)


def test_every_model_that_is_offered_has_a_price_and_none_that_has_ended_is_the_first() -> None:
    for node_type in NODE_TYPES.values():
        for provider in node_type.providers:
            assert all(model_of(provider.id, id) is not None for id in provider.models), (node_type.name, provider.models)
            first = model_of(provider.id, next(iter(provider.models), ""))
            assert first is None or first.ends is None or first.ends > CHECKED
    assert all(model.instead for model in MODELS.values() if model.ends is not None)


# -- estimates ------------------------------------------------------------------------------------------------------------------------


def test_a_list_whose_length_is_known_is_counted() -> None:
    found = estimate(
        flow(
            node("scenes", "split_text", text="A. B. C.", numSegments=6, splitMode="text"),
            node("pics", "text_to_image", prompt=ref("scenes", "items")),
            node("clips", "image_to_video", imageUrl=ref("pics", "imageUrl"), duration=10),
            node("two", "text_to_image", prompt=["a", "b"]),
            node("off", "text_to_image", enabled=False, prompt="c"),
            node("here", "text_to_image", prompt="c", provider="local"),
        ),
        FAL,
    )
    assert [(price.node_id, price.items, price.usd) for price in found.nodes] == [("pics", 6, 0.03), ("clips", 6, 1.2), ("two", 2, 0.01)]
    assert found.usd == pytest.approx(1.24) and not found.is_guess


def test_a_list_whose_length_is_not_known_is_a_guess() -> None:
    found = estimate(film(), FAL)
    assert found.is_guess and {price.node_id: price.items for price in found.nodes} == {"music": 1, "say": USUAL_ITEMS, "pic": USUAL_ITEMS, "clip": USUAL_ITEMS}


def test_what_runs_on_this_machine_costs_nothing() -> None:
    assert estimate(film(), frozenset()).usd == 0


def test_a_flow_with_a_circle_has_an_estimate_all_the_same() -> None:
    assert estimate(flow(node("a", "text_to_image", prompt=ref("b", "prompt")), node("b", "text_to_image", prompt=ref("a", "prompt"))), FAL).usd > 0


# -- models that end ------------------------------------------------------------------------------------------------------------------

#   on the day               code           what is said
ENDS = [
    (date(2026, 11, 22),     "model_ends",  "is shut down on 14 January 2027; OpenAI recommends gpt-6-luna"),
    (date(2027, 1, 14),      "model_ended", "was shut down on 14 January 2027"),
]  # fmt: skip


@pytest.mark.parametrize(("today", "code", "told"), ENDS)
def test_a_model_that_ends_is_named(today: date, code: str, told: str) -> None:
    found = problems(flow(node("a", "text_to_text", prompt="x", provider="openai", model="gpt-4o-mini")), frozenset({"openai"}), today)
    assert [(problem.code, problem.field, problem.severity) for problem in found] == [(code, "model", "warning")] and told in found[0].message


def test_a_model_that_nobody_has_written_down_is_let_be() -> None:
    assert problems(flow(node("a", "text_to_text", prompt="x", provider="openai", model="llama")), frozenset({"openai"}), date(2030, 1, 1)) == []


# -- the books ------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def spend(tmp_path: Path) -> Spend:
    return Spend(Database(tmp_path / "flows.db"), run_usd_max=1.0, day_usd_max=1.5)


def test_a_run_does_not_pass_its_cap(spend: Spend) -> None:
    spend.reserve("r/a/", "r", "fal", 0.6, 1)
    with pytest.raises(NodeFailed, match="FLOWS_RUN_USD_MAX") as refused:
        spend.reserve("r/b/", "r", "fal", 0.6, 2)
    assert refused.value.code == "budget" and spend.of_runs(["r", "s"]) == {"r": 0.6}


def test_all_runs_of_a_day_do_not_pass_theirs(spend: Spend) -> None:
    spend.reserve("r/a/", "r", "fal", 0.9, 1)
    with pytest.raises(NodeFailed, match="FLOWS_DAY_USD_MAX"):
        spend.reserve("s/a/", "s", "openai", 0.9, 2)
    spend.reserve("s/a/", "s", "openai", 0.9, DAY_MS + 2)  # a day later
    books = spend.books(DAY_MS + 2)
    assert (books.day_usd, books.by_provider) == (0.9, {"openai": 0.9})


def test_what_it_cost_takes_the_place_of_what_was_booked(spend: Spend) -> None:
    spend.reserve("r/a/", "r", "fal", 0.9, 1)
    spend.settle("r/a/", 0.1)
    spend.reserve("r/b/", "r", "fal", 0.9, 2)
    spend.settle("r/b/", None)
    assert spend.of_runs(["r"]) == {"r": 1.0}


@pytest.mark.parametrize("was_settled", [True, False])
def test_a_second_attempt_does_not_forget_the_first(spend: Spend, was_settled: bool) -> None:
    spend.reserve("r/a/", "r", "fal", 0.6, 1)
    if was_settled:  # else its worker died, and nobody knows whether it was paid for
        spend.settle("r/a/", None)
    with pytest.raises(NodeFailed):
        spend.reserve("r/a/", "r", "fal", 0.6, 2)
    spend.reserve("r/a/", "r", "fal", 0.3, 3)
    assert spend.of_runs(["r"]) == {"r": pytest.approx(0.9)}


# -- over HTTP ------------------------------------------------------------------------------------------------------------------------


def test_prices_are_shown_before_and_after_a_run(tmp_path: Path) -> None:
    with builder(tmp_path, Studio("local"), Studio("fal"), run_usd_max=0.5) as flows:
        nodes = [node("a", "text_to_image", prompt="x", provider="fal"), node("b", "text_to_video", prompt="x", duration=60, provider="fal")]
        _, found = flows.ask("POST", "/workflow/validate", {"nodes": nodes})
        assert found["estimateUsd"] == pytest.approx(1.205) and found["estimate"]["exceeds"] == "run"
        assert found["estimate"]["nodes"][1] == {
            "nodeId": "b", "provider": "fal", "model": "fal-ai/ltxv-13b-098-distilled", "items": 1, "usd": 1.2, "isGuess": False
        }  # fmt: skip
        status = flows.ended(flows.run(nodes[:1]))
        assert status["spentUsd"] == pytest.approx(0.01)  # what the provider said
        assert flows.ask("GET", "/workflow/history")[1][0]["spentUsd"] == flows.ask("GET", "/workflow/history?limit=1")[1]["runs"][0]["spentUsd"] == 0.01
        assert flows.ask("GET", "/spend")[1] == {"runUsdMax": 0.5, "dayUsdMax": 25, "dayUsd": 0.01, "byProvider": {"fal": 0.01}}
        details = next(one for one in flows.ask("GET", "/node-types")[1]["nodeTypes"] if one["type"] == "text_to_text")["providers"][0]["modelDetails"]
        assert details[1] == {"id": "gpt-4o-mini", "usd": 0.15, "per": "1m_tokens", "ends": "2027-01-14", "instead": "gpt-6-luna"}
