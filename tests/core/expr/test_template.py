"""Templates: what is evaluated, what is shared, and that nothing written or stored can break them."""

import copy
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batuta.core.expr import expression, javatext, template
from batuta.core.expr.scope import Document
from batuta.core.expr.template import MISSING


class Known:
    """A scope over the given members, constants and environment, that remembers what it was asked."""

    def __init__(self, *, constants: dict[str, str | None] | None = None, environment: dict[str, str] | None = None, **members: Any) -> None:
        self.members = members
        self.constants = constants or {}
        self.variables = environment or {}
        self.asked: list[str] = []

    def root(self, name: str) -> Any:
        self.asked.append(name)
        return self.members.get(name, MISSING)

    def names(self) -> Iterable[str]:
        self.asked.append("*")
        return self.members

    def constant(self, name: str) -> Any:
        return self.constants.get(name, MISSING)

    def environment(self, name: str) -> Any:
        return self.variables.get(name)


def scope(input: Any = None, **members: Any) -> Known:
    return Known(workflow={"input": input}, **members)


# ------------------------------------------------------------------------------------------------------------------ text

#    text                                        gives, of a run with input {"a": 1, "b": "two", "l": ["x", {"k": 4.0}], "e": ""}
TEXTS = [
    ("${workflow.input.l[*]}!",                  '["x",{"k":4.0}]!'),          # an indefinite path's list is written as JSON
    ("${workflow.input.l}!",                     "[x, {k=4.0}]!"),             # a list that was found is not
    ("${workflow.input.l[?(@.z)]}!",             "[]!"),
    ("${workflow.input.b[?(@.z)]}!",             "null!"),
    ("${workflow.input.l[1].k}!",                "4.0!"),
    ("${workflow.input.a.b.c}!",                 "null!"),
    ("${two words.x}!",                          "null!"),
    ("two\nlines: ${workflow.input.b}\n",        "two\nlines: two\n"),
    ("${workflow.input.a}",                      1),
    (" ${workflow.input.a}",                     " 1"),
    ("${ workflow.input.a}",                     None),                        # blanks inside make it miss …
    ("${workflow.input.a }",                     1),                           # … except at the end
    ("${$.workflow.input.a}",                    1),
    ("${@.workflow.input.a}",                    1),
    ("${['workflow'].input.a}",                  1),
    ("${\n}",                                    ""),
    ("${${workflow.input.e}}",                   ""),
    ("$$$${workflow.input.a}",                   "$$${workflow.input.a}"),
    ("$${workflow.input.${workflow.input.b}}",   "${workflow.input.two}"),     # escaping the outer one leaves the inner one
    ("${x ${workflow.input.a} y",                "${x ${workflow.input.a} y"),  # nothing behind an unclosed one is evaluated
    ("${workflow.input.a} ${x ${workflow.input.a}", "1 ${x ${workflow.input.a}"),
    ("{{ ${workflow.input.a} }",                 "{{ 1 }"),
    ("} ${workflow.input.a} {",                  "} 1 {"),
    ("${workflow.input['a}']}",                  "null']}"),                   # braces count in quotes too
    ("${workflow.input.l[?(@.k == {})]}",        []),                          # and must be balanced
]


@pytest.mark.parametrize(("text", "gives"), TEXTS)
def test_a_string_gives(text: str, gives: Any) -> None:
    found = template.evaluate(text, scope({"a": 1, "b": "two", "l": ["x", {"k": 4.0}], "e": ""}))
    assert repr(found) == repr(gives)


def test_an_escape_in_a_value_is_left_alone() -> None:
    assert template.evaluate("<${workflow.input.v}>", scope({"v": "$${x}"})) == "<$${x}>"


#    expression                   constants                   gives
CONSTANTS = [
    ("${HOME}",                   {"HOME": "/root"},          "/root"),
    ("in ${HOME}",                {"HOME": "/root"},          "in /root"),
    ("${HOME}",                   {"HOME": None},             "${HOME}"),       # known, without a value
    ("in ${HOME}",                {"HOME": None},             "in ${HOME}"),
    ("${HOME}",                   {},                         {"output": 1}),   # not known: a task's reference
    ("${HOME.output}",            {"HOME": "/root"},          1),               # not a bare name
    ("${m.${HOME}}",              {"HOME": "k"},              "v"),
    ("${m.${HOME}}",              {"HOME": None},             None),
    ("${${m.name}}",              {"HOME": "/root"},          "/root"),
    ("${${m.name}}",              {"HOME": None},             "${${m.name}}"),
]


@pytest.mark.parametrize(("text", "constants", "gives"), CONSTANTS)
def test_a_constant_stands_over_a_reference(text: str, constants: dict[str, str | None], gives: Any) -> None:
    assert template.evaluate(text, Known(constants=constants, HOME={"output": 1}, m={"k": "v", "name": "HOME"})) == gives


#    expression                              gives, where A is "text" and J is {"k": [1, {"x": "y"}]}
ENVIRONMENT = [
    ("${workflow.env.A}",                    "text"),
    ("is ${workflow.env.A}",                 "is text"),
    ("${workflow.env.NOTHING}",              None),
    ("is ${workflow.env.NOTHING}",           "is null"),
    ("${workflow.env.J}",                    '{"k": [1, {"x": "y"}]}'),
    ("${workflow.env.J.k[1].x}",             "y"),
    ("${workflow.env.J.k[0]}",               1),
    ("is ${workflow.env.J.k[*]}",            'is [1,{"x":"y"}]'),
    ("${workflow.env.J.z}",                  None),
    ("${workflow.env.J.a b}",                None),
    ("${workflow.env.A.k}",                  None),
    ("${workflow.env.NOTHING.k}",            None),
    ("${workflow.env.${t.name}}",            "text"),
    ("${workflow.env}",                      None),
]


@pytest.mark.parametrize(("text", "gives"), ENVIRONMENT)
def test_the_environment(text: str, gives: Any) -> None:
    known = Known(environment={"A": "text", "J": '{"k": [1, {"x": "y"}]}'}, workflow={}, t={"name": "A"})
    assert template.evaluate(text, known) == gives


@pytest.mark.parametrize("text", [
    "${workflow.secrets.KEY}", "Bearer ${workflow.secrets.KEY}", "${workflow.secrets.KEY.a.b}", "${workflow.secrets.${workflow.input.name}}",
])
def test_a_secret_stays_as_it_is_written(text: str) -> None:
    assert template.evaluate(text, scope({"name": "KEY"})) == text


def test_no_input_chooses_a_secret() -> None:
    assert template.evaluate("${${workflow.input.p}}", scope({"p": "workflow.secrets.KEY"})) == "${${workflow.input.p}}"


# ------------------------------------------------------------------------------------------------------ structure, sharing

def test_strings_at_any_depth_are_evaluated_in_place() -> None:
    value = {"z": [1, "${t.x}", {"a": "${t.y}", "b": [{}]}], "${t.x}": "$${t.x}", "m": {"n": ["-${t.x}-"]}, "last": None}
    found = template.evaluate(value, Known(t={"x": 7, "y": [8]}))
    assert found == {"z": [1, 7, {"a": [8], "b": [{}]}], "${t.x}": "${t.x}", "m": {"n": ["-7-"]}, "last": None}
    assert list(found) == ["z", "${t.x}", "m", "last"]


def test_each_evaluation_makes_its_own_containers() -> None:
    compiled = template.compile({"a": {"b": ["${t.x}"]}, "c": {"d": 1}})
    one, two = compiled.evaluate(Known(t={"x": 1})), compiled.evaluate(Known(t={"x": 2}))
    assert (one, two) == ({"a": {"b": [1]}, "c": {"d": 1}}, {"a": {"b": [2]}, "c": {"d": 1}})
    assert one is not two and one["a"] is not two["a"] and one["a"]["b"] is not two["a"]["b"]


def test_what_holds_no_expression_is_shared() -> None:
    value = {"a": {"b": [1, "text"]}}
    assert template.compile(value).evaluate(scope()) is value
    mixed = {"a": value, "x": "${t.x}"}
    assert template.compile(mixed).evaluate(Known(t={}))["a"] is value


def test_what_a_scope_holds_is_shared() -> None:
    output = {"list": [1, {"k": "v"}]}
    known = Known(t={"output": output})
    assert template.evaluate("${t.output}", known) is output
    assert template.evaluate("${t.output.list[1]}", known) is output["list"][1]
    assert template.evaluate({"all": "${t.output}"}, known)["all"] is output


def test_an_escape_makes_a_constant_that_is_not_what_was_written() -> None:
    value = {"a": [{"b": "$${x}"}], "c": [1]}
    before = copy.deepcopy(value)
    compiled = template.compile(value)
    assert compiled.is_constant
    found = compiled.evaluate(scope())
    assert found == {"a": [{"b": "${x}"}], "c": [1]} and found["c"] is value["c"]
    assert value == before


#    value                                         constant
CONSTANCY = [
    (None,                                         True),
    ("text",                                       True),
    ("$ { } $x",                                   True),
    ("${",                                         True),
    ("${}",                                        True),
    ("$${x}",                                      True),
    ("${two words.x}",                             True),   # no path: always null
    ("${workflow.secrets.X}",                      True),
    ({"a": [{"b": "c"}]},                          True),
    ("${x}",                                       False),
    ("${workflow.env.X}",                          False),
    ({"a": [{"b": "${x.y}"}]},                     False),
]


@pytest.mark.parametrize(("value", "constant"), CONSTANCY)
def test_a_template_knows_whether_it_is_constant(value: Any, constant: bool) -> None:
    assert template.compile(value).is_constant is constant


#    value                                                 names
REFERENCES = [
    ("text",                                               set()),
    ("${t.output.x}",                                      {"t"}),
    ("${t.output.l[0]} and ${workflow.input.x}",           {"t", "workflow"}),
    ({"a": ["${t}", {"b": "${['two words'].output}"}]},    {"t", "two words"}),
    ("${t.output[?(@.x == $.u.output.y)]}",                {"t", "u"}),
    ("${t.output.${u.output.key}}",                        {"u"}),                 # the outer one is not known yet
    ("${$..x}",                                            set()),
    ("${workflow.env.X}",                                  {"workflow"}),
]


@pytest.mark.parametrize(("value", "names"), REFERENCES)
def test_a_template_knows_what_it_refers_to(value: Any, names: set[str]) -> None:
    assert template.compile(value).references() == names


#    value                                     asks the scope for
ASKED = [
    ("${t.output.x}",                          ["t"]),
    ("${t.output.l[0]}",                       ["t"]),
    ("${t.output.l[*]}",                       ["t"]),
    ("${workflow.secrets.X} ${workflow.env.X}", []),
    ("${$..x}",                                ["*", "t", "u"]),
    ("${*.output}",                            ["*", "t", "u"]),
]


@pytest.mark.parametrize(("value", "asked"), ASKED)
def test_a_scope_is_asked_for_no_more_than_is_read(value: str, asked: list[str]) -> None:
    known = Known(t={"output": {"x": 1, "l": [1]}}, u={"output": {"x": 2}})
    template.evaluate(value, known)
    assert known.asked == asked


def test_the_whole_document_can_be_searched() -> None:
    known = Known(t={"output": {"x": 1}}, u={"output": {"x": 2}})
    assert template.evaluate("${$..x}", known) == [1, 2]
    assert template.evaluate("${$..x.max()}", known) == 2.0
    assert template.evaluate("${*.output}", known) == [{"x": 1}, {"x": 2}]
    assert template.evaluate("${$}", known) == known.members
    assert template.evaluate("${$['t','u']}", known) == known.members


# ---------------------------------------------------------------------------------------------------------------- events

#    value                        document                                gives
EVENTS = [
    ("${orderId}",                {"orderId": 7},                         7),
    ("${$.a.b}",                  {"a": {"b": [1]}},                      [1]),
    ("${$[0].x}",                 [{"x": "y"}],                           "y"),
    ("${$[*].x}",                 [{"x": "y"}, {"x": "z"}],               ["y", "z"]),
    ("${$}",                      "not JSON",                             "not JSON"),
    ("${orderId}",                "not JSON",                             None),
    ("${orderId}",                None,                                   None),
    ({"o": "no. ${orderId}"},     {"orderId": 7},                         {"o": "no. 7"}),
    ("${$..id}",                  {"a": {"id": 1}, "b": [{"id": 2}]},     [1, 2]),
    ("${CPEWF_TASK_ID}",          {"CPEWF_TASK_ID": 1},                   "${CPEWF_TASK_ID}"),
    ("${workflow.secrets.X}",     {"workflow": {"secrets": {"X": 1}}},    "${workflow.secrets.X}"),
]


@pytest.mark.parametrize(("value", "document", "gives"), EVENTS)
def test_an_event_is_a_document_of_its_own(value: Any, document: Any, gives: Any) -> None:
    assert template.evaluate_on(value, document) == gives


# ------------------------------------------------------------------------------------------------------------ whatever comes

SCRIBBLES = st.lists(st.sampled_from([*"ab.{}$[]'*? ", "${", "$${", "${a.b}", "${a", "workflow.", "env.", "secrets.", "..", "[*]", "[0]", "()"]),
                     max_size=10).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5)


def json_of(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab${}", max_size=3), inner, max_size=3),
                        max_leaves=10)


@given(json_of(SCALARS | SCRIBBLES), json_of(SCALARS | SCRIBBLES))
@example({"a": ["${a.b}", {"b": "$${"}]}, {"a": {"b": "${a.b}"}})
def test_nothing_raises_and_nothing_given_is_changed(value: Any, document: Any) -> None:
    before = copy.deepcopy((value, document))
    compiled = template.compile(value)
    known = Known(a=document, workflow={"input": document}, constants={"b": None, "ab": "text"})
    first, second = compiled.evaluate(known), compiled.evaluate(known)
    assert repr(first) == repr(second)
    assert repr((value, document)) == repr(before)
    compiled.references()


@given(json_of(SCALARS.filter(lambda value: not isinstance(value, str) or "${" not in value)))
def test_what_holds_no_expression_comes_back_as_it_is(value: Any) -> None:
    assert template.evaluate(value, scope()) is value


@given(json_of(SCALARS | SCRIBBLES))
def test_a_whole_value_is_the_value_itself(value: Any) -> None:
    assert template.evaluate("${workflow.input.v}", scope({"v": value})) is value


@given(json_of(SCALARS | SCRIBBLES))
def test_an_embedded_value_is_javas_text_of_it(value: Any) -> None:
    assert template.evaluate("<${workflow.input.v}>", scope({"v": value})) == f"<{javatext.text(value)}>"


@given(st.text("a${} ", max_size=12))
def test_doubling_the_dollar_of_every_expression_keeps_a_text(text: str) -> None:
    if "$${" not in text:
        assert template.evaluate(text.replace("${", "$${"), scope()) == text


@given(json_of(SCALARS | SCRIBBLES))
@example(["$${a.b}", {"${a.b}": "$$$${a"}, [["${a.${b}}"]]])
def test_what_is_made_literal_comes_back_as_it_was(value: Any) -> None:
    before = copy.deepcopy(value)
    assert template.evaluate(template.literal(value), scope(a={"b": "put in"})) == value == before


def test_depth_is_no_obstacle() -> None:
    value: Any = "${t.x}"
    for level in range(10_000):
        value = [value] if level % 2 else {"k": value}
    found = template.evaluate(value, Known(t={"x": "bottom"}))
    for level in reversed(range(10_000)):
        found = found[0] if level % 2 else found["k"]
    assert found == "bottom"


def test_many_braces_are_read_in_one_go() -> None:
    for text in ("${" * 200_000, "${a.b" * 100_000, "{" * 200_000 + "${t.x}", "${t.x}" + "}" * 200_000):
        assert str(template.evaluate(text, Known(t={"x": ""}))).endswith(("{", "b", "}"))


def test_expressions_nested_beyond_sense_are_text() -> None:
    text = "${a." * 1_000 + "b" + "}" * 1_000
    assert template.evaluate(text, Known(a={"null": 1})) in (None, 1, text)


def test_long_computed_paths_are_not_kept() -> None:
    expression._remembered.cache_clear()
    known = scope({"long": "k" * 5_000, "m": {"k" * 5_000: "found", "s": "short"}, "s": "s"})
    assert template.evaluate("${workflow.input.m.${workflow.input.long}}", known) == "found"
    assert expression._remembered.cache_info().currsize == 0
    assert template.evaluate("${workflow.input.m.${workflow.input.s}}", known) == "short"
    assert expression._remembered.cache_info().currsize == 1


#    expression                                             what comes of it
DEFAULTS: list[tuple[str, Any]] = [
    ("${workflow.input.size:10}",                           3),
    ("${workflow.input.none:10}",                           10),
    ("${workflow.input.null:10}",                           10),
    ("${workflow.input.none:}",                             ""),
    ("${workflow.input.none:two words}",                    "two words"),
    ('${workflow.input.none:"10"}',                         "10"),
    ("${workflow.input.none:true}",                         True),
    ('${workflow.input.none:{"a": [1]}}',                   {"a": [1]}),
    ("${workflow.input.none:http://x/y}",                   "http://x/y"),
    ("${workflow.input.zero:10}",                           0),
    ("${workflow.input.empty:10}",                          ""),
    ("${nowhere.output.x:1}",                               1),
    ("up to ${workflow.input.none:10}!",                    "up to 10!"),
    ("up to ${workflow.input.size:10}!",                    "up to 3!"),
    ("${workflow.input.none:${workflow.input.size}}",       3),
    ("${workflow.input.list[0:2]}",                         [1, 2]),                # a slice's colon is its own
    ("${workflow.input.list[?(@ == 'a:b')]:7}",             []),                    # nothing found is a list
    ("${workflow.input.k:v}",                               "a key with a colon"),  # as Conductor reads it
    ("${workflow.env.CITY:Brno}",                           "Prague"),
    ("${workflow.env.NOWHERE:Brno}",                        "Brno"),
    ("${workflow.secrets.X:1}",                             "${workflow.secrets.X:1}"),
    ("${http://x}",                                         None),                  # a bare name has no default
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), DEFAULTS)
def test_a_default_stands_in_for_nothing(text: str, value: Any) -> None:
    given = {"size": 3, "null": None, "zero": 0, "empty": "", "list": [1, 2, 3], "k:v": "a key with a colon"}
    scope = Document({"workflow": {"input": given}}, {"CITY": "Prague"}.get)
    assert template.compile(text).evaluate(scope) == value
