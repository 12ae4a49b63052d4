"""
Paths, as Jayway JsonPath 2.9.0 follows them.

Every row of the tables was put to that library (exceptions suppressed, as Conductor configures it) and holds what it gave; where we
differ on purpose stands in a table of its own, with what it gave beside it.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.expr import jsonpath
from batuta.core.expr.jsonpath import path as paths
from batuta.core.expr.jsonpath import steps

STORE: dict[str, Any] = {
    "store": {"books": [{"title": "A", "price": 8, "tags": []},
                        {"title": "B", "price": 12.5, "sale": True, "tags": ["new", "x"]},
                        {"title": "C", "price": 30, "by": None, "tags": ["x"]}],
              "open": True, "name": "Shop", "limit": 10, "none": None},
    "l": [1, 2, 3], "n": [-5, -3.5, 2], "w": ["a", "b", 3], "m": {"a": 1, "b": {"c": 2}},
    "k": {"two words": 1, "da-sh": 2, "7": "seven", "dot.ted": 3, "it's": 4, "ž": 5},
    "deep": {"x": {"x": {"x": 1}}}, "empty": [], "none": {},
}
ONE, MANY = True, False


def find(text: str, document: Any = STORE) -> Any:
    path = jsonpath.parse(text)
    assert path is not None, f"{text!r} is not a path"
    return path.find(document)


def same(left: Any, right: Any) -> bool:
    """Equal with types: 6.0 is not 6, true is not 1."""
    return repr(left) == repr(right)


#    path                       leads to
PLACES: list[tuple[str, Any]] = [
    ('l',                       [1, 2, 3]),
    ('$.l',                     [1, 2, 3]),
    ('@.l',                     [1, 2, 3]),
    ('l[0]',                    1),
    ('l[-1]',                   3),
    ('l[3]',                    None),
    ('l[-4]',                   None),
    ('l[ 0 ]',                  1),
    ('m.b.c',                   2),
    ("m['b'].c",                2),
    ("['m']['b']",              {'c': 2}),
    ("$.['m'].b",               {'c': 2}),
    ('m.b.x',                   None),
    ('m.b.c.x',                 None),
    ('store.name[0]',           None),
    ('store.none',              None),
    ('store.none.x',            None),
    ('k.da-sh',                 2),
    ('k.7',                     'seven'),
    ("k['two words']",          1),
    ('k["dot.ted"]',            3),
    ('k.dot.ted',               None),
    ("k['it\\'s']",             4),
    ("k['\\u017e']",            5),
    ('k.ž',                     5),
    ('l ',                      [1, 2, 3]),
    ('$',                       STORE),
    ('store.name.length',       None),
]


@pytest.mark.parametrize(("path", "value"), PLACES)
def test_a_path_of_keys_and_indexes_leads_to_one_value(path: str, value: Any) -> None:
    assert same(find(path), value)


#    path                                    may lead to, leads to
MANY_VALUES: list[tuple[str, bool, Any]] = [
    ('l[0,2]',                              MANY, [1, 3]),
    ('l[0,9]',                              MANY, [1]),
    ('l[0, -1]',                            MANY, [1, 3]),
    ('l[1:]',                               MANY, [2, 3]),
    ('l[:2]',                               MANY, [1, 2]),
    ('l[-2:]',                              MANY, [2, 3]),
    ('l[:-1]',                              MANY, [1, 2]),
    ('l[0:2]',                              MANY, [1, 2]),
    ('l[2:9]',                              MANY, [3]),
    ('l[2:1]',                              MANY, []),
    ('l[-2:-1]',                            MANY, [2]),
    ('l[1:-1]',                             MANY, []),
    ('l[-1:2]',                             MANY, [3, 1, 2]),
    ('l[0:3:2]',                            MANY, [1, 2, 3]),
    ('l[*]',                                MANY, [1, 2, 3]),
    ('l.*',                                 MANY, [1, 2, 3]),
    ('m.*',                                 MANY, [1, {'c': 2}]),
    ('m[ * ]',                              MANY, [1, {'c': 2}]),
    ('store.name.*',                        MANY, []),
    ("m['a','b']",                          ONE,  {'a': 1, 'b': {'c': 2}}),
    ("m['a','z']",                          ONE,  {'a': 1}),
    ("m['a','b'].c",                        MANY, [2]),
    ("$['l','w']",                          ONE,  {'l': [1, 2, 3], 'w': ['a', 'b', 3]}),
    ('store.books[*].title',                MANY, ['A', 'B', 'C']),
    ('store.books.title',                   ONE,  None),
    ('store.books[*].tags[0]',              MANY, ['new', 'x']),
    ("store.books[*]['title','price']",     MANY, [{'title': 'A', 'price': 8}, {'title': 'B', 'price': 12.5}, {'title': 'C', 'price': 30}]),
    ("store.books[1]['title','price']",     ONE,  {'title': 'B', 'price': 12.5}),
    ('nothing[*]',                          MANY, []),
    ('nothing.at[0:2]',                     MANY, []),
    ('$..title',                            MANY, ['A', 'B', 'C']),
    ('$..c',                                MANY, [2]),
    ('m..c',                                MANY, [2]),
    ('store..tags[0]',                      MANY, ['new', 'x']),
    ('deep..x',                             MANY, [{'x': {'x': 1}}, {'x': 1}, 1]),
    ('$..[0]',                              MANY, [{'title': 'A', 'price': 8, 'tags': []}, 'new', 'x', 1, -5, 'a']),
    ("store.books..['title','price']",      MANY, [{'title': 'A', 'price': 8}, {'title': 'B', 'price': 12.5}, {'title': 'C', 'price': 30}]),
    ('l..*',                                MANY, [1, 2, 3]),
    ('$..nothing',                          MANY, []),
    ('store.books[0].*',                    MANY, ['A', 8, []]),
]


@pytest.mark.parametrize(("path", "definite", "value"), MANY_VALUES)
def test_a_path_that_may_lead_to_many_gives_a_list(path: str, definite: bool, value: Any) -> None:
    parsed = jsonpath.parse(path)
    assert parsed is not None and parsed.definite is definite
    assert same(parsed.find(STORE), value)


#    path                                          may lead to, gives
FUNCTIONS: list[tuple[str, bool, Any]] = [
    ('l.length()',                                ONE,  3),
    ('m.length()',                                ONE,  2),
    ('l.size()',                                  ONE,  3),
    ('empty.length()',                            ONE,  0),
    ('none.length()',                             ONE,  0),
    ('store.name.length()',                       ONE,  None),
    ('nothing.length()',                          ONE,  None),
    ('l.length( )',                               ONE,  3),
    ('m.keys()',                                  ONE,  ['a', 'b']),
    ('l.keys()',                                  ONE,  None),
    ('none.keys()',                               ONE,  []),
    ('l.sum()',                                   ONE,  6.0),
    ('l.avg()',                                   ONE,  2.0),
    ('l.min()',                                   ONE,  1.0),
    ('l.max()',                                   ONE,  3.0),
    ('l.stddev()',                                ONE,  0.8164965809277263),
    ('n.sum()',                                   ONE,  -6.5),
    ('n.min()',                                   ONE,  -5.0),
    ('w.sum()',                                   ONE,  3.0),
    ('empty.sum()',                               ONE,  None),
    ('store.name.max()',                          ONE,  None),
    ('l.sum(10)',                                 ONE,  16.0),
    ('l.sum(1, 2.5)',                             ONE,  9.5),
    ('l.sum($.n)',                                ONE,  -0.5),
    ('l.max($.m.a, 7)',                           ONE,  7.0),
    ('l[*].max()',                                MANY, None),
    ('$..price.max()',                            ONE,  30.0),
    ('$..price.sum()',                            ONE,  50.5),
    ('$..price.nothing()',                        ONE,  None),
    ('store.books..price.max()',                  MANY, None),
    ('store.books[*].length()',                   MANY, [3, 4, 4]),
    ('w.concat()',                                ONE,  'ab'),
    ('w.concat("-", $.store.name, 1.50)',         ONE,  'ab-Shop1.5'),
    ("w.concat('ignored')",                       ONE,  'ab'),
    ('m.concat("x")',                             ONE,  'x'),
    ('l.append(4)',                               ONE,  [1, 2, 3, 4]),
    ('l.append($.m)',                             ONE,  [1, 2, 3, {'a': 1, 'b': {'c': 2}}]),
    ('m.append(4)',                               ONE,  {'a': 1, 'b': {'c': 2}}),
    ('l.first()',                                 ONE,  1),
    ('l.last()',                                  ONE,  3),
    ('empty.first()',                             ONE,  None),
    ('m.first()',                                 ONE,  None),
    ('l.index(1)',                                ONE,  2),
    ('l.index(-1)',                               ONE,  3),
    ('l.index(5)',                                ONE,  None),
    ('l.nothing()',                               ONE,  None),
    ('nothing()',                                 ONE,  None),
]


@pytest.mark.parametrize(("path", "definite", "value"), FUNCTIONS)
def test_functions(path: str, definite: bool, value: Any) -> None:
    parsed = jsonpath.parse(path)
    assert parsed is not None and parsed.definite is definite
    assert same(parsed.find(STORE), value)


NOT_PATHS = [
    "", ".", "$.", "l.", "l..", "..l", "$l", "$ .l", " l", "a b", "l[x]", "l[1 2]", "l[1,]", "l[:]", "l[1.5]", "l[--1]",
    "l[99999999999]", "m[a]", "m['a'", "m['a' 'b']", "m['a',]", "m['a", "[*", "l[?]", "l[?(@.x]", "l[(@.length-1)]", "l[?()]",
    "l[?(true)]", "l[?(1)]", "l[?(@.x ==)]", "l[?(@.x = 1)]", "l[?(@.x <> 1)]", "l[?(@.x == foo)]", "l[?(@.x == 'a)]", "l[?(@.x =~ /a)]",
    "l[?(@.x =~ /(/)]", "l[?(@ > 1) x]", "l.length(", "${a}", "l[?(@.x == 1 &&)]", "store.books[?(@.title == A)].title",
]


@pytest.mark.parametrize("text", NOT_PATHS)
def test_what_is_no_path(text: str) -> None:
    assert jsonpath.parse(text) is None


SCRAPS: dict[str, Any] = {**STORE, "negative": [-5, -3.5], "likePaths": ["$.l", "[1]"], "pairs": [[1], [2]]}

INVALID = "(refuses the path)"
#    path                                                 Jayway gives                   and we, because …
DIFFERENCES = [
    ("m.keys().length()",                                 ["a", "b"],                    2),           # a function may stand before the end
    ("store.books.first().title",                         STORE["store"]["books"][0],    "A"),
    ("store.books[2].tags.last()",                        None,                          "x"),         # the last of one is that one
    ("negative.max()",                                    4.9e-324,                      -3.5),        # not the smallest positive number
    ("length($.l)",                                       13,                            3),           # not the document's length
    ("$..*.c",                                            [],                            [2]),         # whatever was read before
    ("$..[0].*",                                          ["A", 8, [], 1, 2],            ["A", 8, [], 1]),  # only of the first elements
    ("$..['a','b'].sum()",                                None,                          1.0),         # of the members, not of their map
    ("store.books[?($.store)].title",                     [],                            ["A", "B", "C"]),  # $ is the document
    ("store.books[?(@.tags all ['x'])].title",            [],                            ["B", "C"]),  # all works
    ("store[?(@ empty false)].name",                      None,                          ["Shop"]),    # so does empty, of a map
    ("store.books[?(@.by&&@.tags)].title",                [],                            ["C"]),       # && needs no blanks
    ("store.books[?(@.tags['x']['y z'] == null)].title",  INVALID,                       ["A", "B", "C"]),  # bracket after bracket
    ('store.books[?(@.tags.concat("!") == "x!")].title',  INVALID,                       ["C"]),       # arguments inside a filter
    ("likePaths[?(@ in ['$.l'])]",                        [],                            ["$.l"]),     # data is not read as a path
    ("pairs[?(@ in [[1]])]",                              None,                          [[1]]),       # lists may be members of lists
]


@pytest.mark.parametrize(("path", "theirs", "ours"), DIFFERENCES)
def test_where_jayway_is_broken_the_sensible_thing_happens(path: str, theirs: Any, ours: Any) -> None:
    assert same(find(path, SCRAPS), ours) and not same(ours, theirs)


def test_append_leaves_the_document_as_it_is() -> None:
    document = {"l": [1]}
    assert find("l.append(2)", document) == [1, 2]
    assert document == {"l": [1]}


#    path                                reads of the document
READS = [
    ("workflow.input.x",                 {"workflow"}),
    ("['a b'].output[0].x",              {"a b"}),
    ("t['input','output']",              {"t"}),
    ("$['t','u'].output.x",              {"t", "u"}),
    ("t.output[?(@.x > 1)]",             {"t"}),
    ("t.output[?(@.x > $.u.output.y)]",  {"t", "u"}),
    ("t.output[?(@..x)]",                {"t"}),
    ("t.l.sum($.u.output.l)",            {"t", "u"}),
    ("t.l[?(@.x == $..y)]",              None),
    ("t.l[?(@.x in $)]",                 None),
    ("$..x",                             None),
    ("$.*",                              None),
    ("$",                                None),
    ("length($.t)",                      None),
]


@pytest.mark.parametrize(("text", "roots"), READS)
def test_a_path_knows_what_it_reads(text: str, roots: set[str] | None) -> None:
    path = jsonpath.parse(text)
    assert path is not None and path.roots == roots


@pytest.mark.parametrize("document", ["text", 7, 2.5, True, None, [], {}])
def test_any_document_will_do(document: Any) -> None:
    for text in [*(path for path, _ in PLACES), *(path for path, _, _ in [*MANY_VALUES, *FUNCTIONS])]:
        find(text, document)


def test_a_document_may_be_a_list() -> None:
    assert find("$[1].x", [0, {"x": 1}]) == 1
    assert find("$[*]", [1, 2]) == [1, 2]
    assert find("$", [1, 2]) == [1, 2]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value}
    return value


def test_depth_is_no_obstacle() -> None:
    levels = 20_000
    assert len(find("$..x", deep(levels))) == levels
    assert find("x" + ".x" * (levels - 1), deep(levels)) == 1


def test_a_path_that_never_ends_gives_null() -> None:
    assert find("$..*..*..*..*..x", deep(300)) is None
    assert find("l[?(@..x)]", {"l": [deep(2_000)] * 2_000}) is None


def test_paths_inside_paths_are_bounded() -> None:
    nested = "@.x"
    for _ in range(paths.DEPTH_MAX):
        nested = f"@[?({nested})]"
    assert jsonpath.parse(nested) is not None
    assert jsonpath.parse(f"@[?({nested})]") is None
    for brackets in ("(", "[?(@", "!(", "a("):
        assert jsonpath.parse(f"l[?({brackets * 5_000})]") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x y", "7"]), inner, max_size=3), max_leaves=12)
SCRIBBLES = st.lists(st.sampled_from([*"abl.[]()*?@$'\"!&|=~<>,:- /\\{}1", "..", "[?(@", ".a", "[*]", " in ", "=~ /", ".sum()"]),
                     max_size=14).map("".join)
STEPS = st.lists(st.sampled_from(["a", "b", "x y", "7", 0, 1, -1]), min_size=1, max_size=5)


@given(SCRIBBLES, JSON)
def test_nothing_that_can_be_written_raises(text: str, document: Any) -> None:
    path = jsonpath.parse(text)
    if path is not None:
        found = path.find(document)
        assert path.definite or found is None or isinstance(found, list)


@given(STEPS, JSON)
def test_the_fast_way_and_the_long_way_agree(plain: list[str | int], document: Any) -> None:
    path = jsonpath.parse("$" + "".join(f"[{step}]" if isinstance(step, int) else f"['{step}']" for step in plain))
    assert path is not None and path.plain == tuple(plain)
    long_way = [document]
    for step in plain:
        long_way = (steps.Index((step,)) if isinstance(step, int) else steps.Key(step)).follow(long_way, steps.Look(document), True)
    assert same(path.find(document), long_way[0] if long_way else None)


@given(JSON)
def test_a_scan_finds_every_value_once(document: Any) -> None:
    def below(value: Any) -> list[Any]:
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return inner + [found for one in inner for found in below(one)]
    assert same(find("$..*", document), below(document))
