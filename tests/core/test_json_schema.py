"""JSON Schema in bounded time: what fits, what is said of what does not, and that no schema can make a check run away."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.json_schema import STEPS_MAX, Schema, bundled, registered_names, schema_problem

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DOUBLING = {"$ref": "#/$defs/0", "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(40)} | {"40": {"minProperties": 0}}}

#    schema                                             value                   what is said (None: it fits)
SAID = [
    ({"type": "object"},                                {"a": 1},               None),
    ({"required": ["a"]},                               {},                     "'a' is a required property"),
    ({"properties": {"a": {"type": "integer"}}},        {"a": "x"},             "at 'a': found 'x', expected type integer"),
    ({"properties": {"a": {"type": ["integer", "null"]}}}, {"a": []},           "at 'a': found [], expected type integer or null"),
    ({"properties": {"a": {"items": {"minimum": 3}}}},  {"a": [4, 2]},          "at 'a.1': 2 is less than the minimum of 3"),
    ({"properties": {"a": {"enum": ["x", "y"]}}},       {"a": "z"},             "at 'a': 'z' is not one of ['x', 'y']"),
    ({"properties": {"a": {"pattern": "b+$"}}},         {"a": "abb"},           None),
    ({"properties": {"a": {"pattern": "^b+$"}}},        {"a": "abb"},           "at 'a': 'abb' does not match '^b+$'"),
    ({"patternProperties": {"^n_": {"type": "number"}}}, {"n_a": 1, "b": ""},   None),
    ({"patternProperties": {"^n_": {"type": "number"}}}, {"n_a": ""},           "at 'n_a': found '', expected type number"),
    ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1, "b": 2}, "has unexpected members: 'b'"),
    ({"patternProperties": {"^x": {}}, "additionalProperties": {"type": "null"}}, {"x1": 1, "b": 2}, "at 'b': found 2, expected type null"),
    ({"properties": {"a": {"uniqueItems": True}}},      {"a": [1, True, "1"]},  None),
    ({"properties": {"a": {"uniqueItems": True}}},      {"a": [{"k": 1}, {"k": 1.0}]}, "at 'a': a list of 2 has members that are equal"),
    ({"$schema": DRAFT_7, "definitions": {"d": {"type": "string"}}, "properties": {"a": {"$ref": "#/definitions/d"}}}, {"a": 1},
     "at 'a': found 1, expected type string"),
    ({"properties": {"a": {"format": "date"}}},         {"a": "no date"},       None),
    ({"$ref": "#/nowhere"},                             {},                     "its schema cannot be applied"),
    ({"$ref": "#"},                                     {},                     "nested too deeply"),
    (DOUBLING,                                          {},                     f"it cannot be checked in {STEPS_MAX} steps"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "value", "said"), SAID)
def test_a_value_fits_or_is_told_where_it_does_not(schema: dict[str, Any], value: dict[str, Any], said: str | None) -> None:
    assert schema_problem(schema) is None
    problems = Schema(schema).problems(value)
    assert (problems == []) if said is None else (problems and said in problems[0]), problems


def test_patterns_that_backtrack_elsewhere_are_matched_in_a_moment() -> None:
    schema = Schema({"properties": {"a": {"pattern": "^(a+)+$"}, "b": {"pattern": "(x|x|x)*y"}}})
    assert len(schema.problems({"a": "a" * 2_000 + "!", "b": "x" * 2_000})) == 2


def test_what_is_said_stays_short_however_large_the_value() -> None:
    large = {"a": {"k" * 9_000: "x" * 100_000}, "b": "y" * 1_000_000, "c": list(range(10_000))}
    wanted = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    problems = Schema({"properties": dict.fromkeys(large, wanted), "additionalProperties": False}).problems({**large, "d" * 9_000: 1})
    assert len(problems) == 3 and all(len(problem) < 400 for problem in problems)


def test_values_of_masked_members_are_not_told() -> None:
    schema = Schema({"properties": {"card": {"properties": {"number": {"type": "integer"}, "limit": {"maximum": 5}}}, "name": {"type": "integer"}}})
    told = " ".join(schema.problems({"card": {"number": "4242", "limit": 77}, "name": "Ada"}, frozenset({"card"})))
    assert "4242" not in told and "77" not in told and "'Ada'" in told and told.count("***") == 2


#    schema                                             why it is refused
REFUSED = [
    ("text",                                            "expected a JSON Schema"),
    ({"type": "strin"},                                 "at 'type'"),
    ({"properties": []},                                "at 'properties'"),
    ({"$schema": 5},                                    "$schema is no text"),
    ({"properties": {"a": {"pattern": "("}}},           "pattern '('"),
    ({"patternProperties": {"(?=a)b": {}}},             "pattern '(?=a)b'"),
    ({"$ref": "https://example.com/other.json"},        "leads elsewhere"),
    ({"$ref": "file:///etc/passwd"},                    "leads elsewhere"),
    ({"items": {"$ref": "//example.com/x"}},            "leads elsewhere"),
    ({"unevaluatedProperties": False, "patternProperties": {"a": {}}}, "not supported"),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "why"), REFUSED)
def test_a_schema_that_could_not_be_enforced_is_refused(schema: Any, why: str) -> None:
    assert why in (schema_problem(schema) or "")


def test_a_schema_nested_without_end_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"not": schema}
    assert "nested more than" in (schema_problem(schema) or "")


def test_a_schema_too_large_to_be_looked_at_is_refused() -> None:
    assert "it is too large" in (schema_problem({"properties": {str(n): {"type": "string", "enum": ["a", "b"]} for n in range(100_000)}}) or "")


OLD, NEW = "http://json-schema.org/draft-0{}/schema#", "https://json-schema.org/draft/{}/schema"


@pytest.mark.parametrize("draft", [DRAFT_7, "https://json-schema.org/draft/2020-12/schema"])
def test_a_part_that_names_its_draft_is_bounded_like_the_rest(draft: str) -> None:
    """The library would go on with a validator of its own there, which backtracks and counts nothing."""
    bad = {"$schema": draft, "pattern": "^(a+)+$"}
    by_name = {"properties": {"a": {"$ref": "schema:bad"}}, "$defs": {"schema:bad": bad}}
    for schema in ({"properties": {"a": bad}}, {**bad, "properties": {"a": {"$ref": "#"}}}, by_name):
        assert len(Schema(schema).problems({"a": "a" * 500 + "!"})) == 1
    doubling = {**DOUBLING, "$schema": draft}
    assert f"in {STEPS_MAX} steps" in Schema({"properties": {"a": doubling}, "$defs": DOUBLING["$defs"]}).problems({"a": {}})[0]


@pytest.mark.parametrize("draft", [*(OLD.format(n) for n in (3, 4, 6, 7)), *(NEW.format(year) for year in ("2019-09", "2020-12"))])
def test_every_draft_is_read_and_enforced(draft: str) -> None:
    schema = {"$schema": draft, "id": "x", "properties": {"a": {"type": "string", "pattern": "^a"}}, "additionalProperties": False}
    assert schema_problem(schema) is None
    assert Schema(schema).problems({"a": "abc"}) == [] and len(Schema(schema).problems({"a": "b", "c": 1})) == 2
    assert "at 'properties'" in (schema_problem({"$schema": draft, "properties": 5}) or "")


@pytest.mark.parametrize("reference", ["#/properties/a", "https://example.com/mine", "part.json", DRAFT_7])
def test_references_inside_the_schema_and_to_the_drafts_are_taken(reference: str) -> None:
    schema = {"$id": "https://example.com/mine", "properties": {"a": {}, "b": {"$ref": reference}}, "$defs": {"p": {"$id": "part.json"}}}
    assert schema_problem(schema) is None
    assert Schema(schema).problems({"b": {}}) == []


def test_registered_schemas_are_put_in_with_all_that_they_refer_to() -> None:
    registered = {
        "schema:address": {"properties": {"zip": {"$ref": "schema:zip/2"}, "next": {"$ref": "schema:address"}}, "required": ["zip"]},
        "schema:zip/2": {"$schema": DRAFT_7, "type": "string"},
    }
    schema = {"properties": {"to": {"$ref": "schema:address"}, "zip": {"$ref": "schema:address#/properties/zip"}}}
    whole = bundled(schema, registered.get)
    assert registered_names(schema) == ["schema:address"] and set(whole["$defs"]) == set(registered)
    ready = Schema(whole)
    assert ready.problems({"to": {"zip": "1", "next": {"zip": "2"}}, "zip": "3"}) == []
    assert ready.problems({"to": {"zip": "1", "next": {"zip": 2}}}) == ["at 'to.next.zip': found 2, expected type string"]
    assert ready.problems({"zip": 3}) == ["at 'zip': found 3, expected type string"]


def test_a_registered_schema_that_is_missing_is_named() -> None:
    schema = {"properties": {"to": {"$ref": "schema:address"}}}
    assert bundled(schema, lambda name: None) == schema
    assert "schema:address" in Schema(schema).problems({"to": {}})[0]
