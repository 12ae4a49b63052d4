"""Secrets: found in values, put in at the last moment."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.expr.secrets import has_secrets, resolve_secrets, secret_names

VAULT = {"KEY": "s3cret", "db-1": '{"user": "u", "ports": [1, 2], "deep": {"x": null}}', "EMPTY": "", "TRICKY": "${workflow.secrets.KEY}", "OTHER": "not yours"}
GRANTED = VAULT.keys() - {"OTHER"} | {"NONE"}

#    value                                                            becomes
VALUES = [
    ("${workflow.secrets.KEY}",                                       "s3cret"),
    ("Bearer ${workflow.secrets.KEY}",                                "Bearer s3cret"),
    ("${workflow.secrets.KEY}${workflow.secrets.KEY}",                "s3crets3cret"),
    ("${workflow.secrets.EMPTY}",                                     ""),
    ("${workflow.secrets.NONE}",                                      None),          # whole: null
    ("<${workflow.secrets.NONE}>",                                    "<>"),          # inside text: nothing
    ("${workflow.secrets.db-1.user}",                                 "u"),
    ("${workflow.secrets.db-1.ports}",                                [1, 2]),
    ("${workflow.secrets.db-1.ports[1]}",                             2),
    ("<${workflow.secrets.db-1.ports}>",                              "<[1, 2]>"),
    ("<${workflow.secrets.db-1.ports[*]}>",                           "<[1,2]>"),
    ("<${workflow.secrets.db-1.deep}>",                               "<{x=null}>"),
    ("<${workflow.secrets.db-1.deep.x}>",                             "<>"),
    ("${workflow.secrets.db-1.two words}",                            None),
    ("${workflow.secrets.KEY.user}",                                  None),          # not JSON
    ("${workflow.secrets.NONE.user}",                                 None),
    ("${workflow.secrets.TRICKY}",                                    "${workflow.secrets.KEY}"),  # put in once
    ("${workflow.secrets.${workflow.input.name}}",                    "${workflow.secrets.${workflow.input.name}}"),
    ("${workflow.secrets.}",                                          "${workflow.secrets.}"),
    ("${workflow.secrets.KEY",                                        "${workflow.secrets.KEY"),
    ("${workflow.input.KEY}",                                         "${workflow.input.KEY}"),
    ({"a": [1, {"b": "${workflow.secrets.KEY}"}], "c": None},         {"a": [1, {"b": "s3cret"}], "c": None}),
    ({"${workflow.secrets.KEY}": 1, "x": "${workflow.secrets.KEY}"},  {"${workflow.secrets.KEY}": 1, "x": "s3cret"}),
    (["${workflow.secrets.KEY}"],                                     ["s3cret"]),
    ("${workflow.secrets.OTHER}",                                     "${workflow.secrets.OTHER}"),  # not granted: text
    ("${workflow.secrets.OTHER.a} ${workflow.secrets.KEY}",           "${workflow.secrets.OTHER.a} s3cret"),
]


@pytest.mark.parametrize(("value", "becomes"), VALUES)
def test_secrets_are_put_in(value: Any, becomes: Any) -> None:
    assert resolve_secrets(value, VAULT.get, GRANTED) == becomes


def test_what_is_stored_is_left_as_it_is() -> None:
    stored = {"a": [{"b": "${workflow.secrets.KEY}"}], "c": {"d": 1}}
    handed = resolve_secrets(stored, VAULT.get, GRANTED)
    assert stored == {"a": [{"b": "${workflow.secrets.KEY}"}], "c": {"d": 1}}
    assert handed["a"] is not stored["a"]


#    value                                                      names
NAMES = [
    ("${workflow.secrets.A} ${workflow.secrets.B.x.y}",         {"A", "B"}),
    ({"k": ["${workflow.secrets.A}", [{"l": "${workflow.secrets.C}"}]]}, {"A", "C"}),
    ({"${workflow.secrets.A}": 1},                              set()),
    ("${workflow.secrets.A",                                    set()),
    ("workflow.secrets.A",                                      set()),
    (7,                                                         set()),
]


@pytest.mark.parametrize(("value", "names"), NAMES)
def test_secrets_are_found(value: Any, names: set[str]) -> None:
    assert secret_names(value) == names
    assert has_secrets(value) is bool(names)


JSON = st.recursive(st.none() | st.integers() | st.text("${}workflow.secrets ", max_size=8),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3), max_leaves=8)


@given(JSON)
def test_a_value_without_secrets_comes_back_itself(value: Any) -> None:
    assert resolve_secrets(value, VAULT.get, GRANTED) is value


def test_depth_is_no_obstacle() -> None:
    value: Any = "${workflow.secrets.KEY}"
    for _ in range(10_000):
        value = [value]
    value = resolve_secrets(value, VAULT.get, GRANTED)
    while isinstance(value, list):
        (value,) = value
    assert value == "s3cret"
