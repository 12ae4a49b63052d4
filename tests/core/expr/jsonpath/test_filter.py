"""
Conditions of filters, as Jayway JsonPath 2.9.0 decides them. How the tables came about stands in test_path.py.
"""

from typing import Any

import pytest

from batuta.core.expr import jsonpath

STORE: dict[str, Any] = {
    "store": {"books": [{"title": "A", "price": 8, "tags": []},
                        {"title": "B", "price": 12.5, "sale": True, "tags": ["new", "x"]},
                        {"title": "C", "price": 30, "by": None, "tags": ["x"]}],
              "name": "Shop", "limit": 10, "none": None},
    "l": [1, 2, 3], "w": ["a", "b", 3], "m": {"a": 1, "b": {"c": 2}},
}


def find(text: str, document: Any = STORE) -> Any:
    path = jsonpath.parse(text)
    assert path is not None, f"{text!r} is not a path"
    return path.find(document)


#    condition                                             holds for the books with the title
CONDITIONS = [
    ('@.price > 10',                                      'BC'),
    ('@.price>10',                                        'BC'),
    ('@.price >= 12.5',                                   'BC'),
    ('@.price < 12.5',                                    'A'),
    ('@.price <= 8',                                      'A'),
    ('@.price == 8',                                      'A'),
    ('@.price == 8.0',                                    'A'),
    ("@.price == '8'",                                    'A'),
    ("'8' == @.price",                                    'A'),
    ('@.price != 8',                                      'BC'),
    ("@.price === '8'",                                   ''),
    ('@.price !== 8',                                     'BC'),
    ("@.title == 'A'",                                    'A'),
    ('@.title == "A"',                                    'A'),
    ("'A' == @.title",                                    'A'),
    ("@.title > 'A'",                                     'BC'),
    ('@.title > 1',                                       ''),
    ("@['title'] == 'A'",                                 'A'),
    ('@.sale',                                            'B'),
    ('!@.sale',                                           'AC'),
    ('! @.sale',                                          'AC'),
    ('!(@.sale)',                                         'AC'),
    ('@.sale == true',                                    'B'),
    ("@.sale == 'true'",                                  ''),
    ('@.sale == 1',                                       ''),
    ('@.by',                                              'C'),
    ('@.by == null',                                      'ABC'),
    ('@.nothing == null',                                 'ABC'),
    ('@.nothing != null',                                 ''),
    ("@.nothing == 'x'",                                  ''),
    ('@.tags[0]',                                         'BC'),
    ('@.tags[*]',                                         'ABC'),
    ("@.tags[?(@ == 'x')]",                               'ABC'),
    ('@..nothing',                                        'ABC'),
    ('@',                                                 'ABC'),
    ('@.price > $.store.limit',                           'BC'),
    ('$.store.limit < @.price',                           'BC'),
    ("@.tags == ['x']",                                   'C'),
    ('@.tags == ["new","x"]',                             'B'),
    ('@.tags != []',                                      'BC'),
    ("@.title in ['A', 'C']",                             'AC'),
    ('@.title in [A, C]',                                 'AC'),
    ("@.title in ['a']",                                  ''),
    ("@.price in [8, '30']",                              'AC'),
    ("@.title in 'A'",                                    ''),
    ("@.title nin ['A']",                                 'BC'),
    ("@.title nin 'A'",                                   ''),
    ('@.title in $.w',                                    ''),
    ("'x' in @.tags",                                     'BC'),
    ("'x' nin @.tags",                                    'A'),
    ("@.tags contains 'x'",                               'BC'),
    ("@.title contains 'A'",                              'A'),
    ('@.price contains 8',                                ''),
    ("@.tags subsetof ['x','new','y']",                   'ABC'),
    ('@.tags subsetof @.tags',                            'ABC'),
    ("@.tags anyof ['new']",                              'B'),
    ("@.tags noneof ['new']",                             'AC'),
    ('@.tags size 1',                                     'C'),
    ('@.title size 1',                                    'ABC'),
    ('@.price size 1',                                    ''),
    ('@.tags empty true',                                 'A'),
    ('@.tags empty false',                                'BC'),
    ('@.title empty false',                               'ABC'),
    ('@.price empty true',                                ''),
    ('@.tags.length() == 2',                              'B'),
    ('@.tags.length() > 0 && @.price < 20',               'B'),
    ('@.title =~ /[ab]/i',                                'AB'),
    ('@.title =~ /[ab]/',                                 ''),
    ('/A|B/ =~ @.title',                                  'AB'),
    ('@.tags =~ /n.*/',                                   'B'),
    ('@.price =~ /1.*/',                                  'B'),
    ('@.sale =~ /true/',                                  'B'),
    ('@.by =~ //',                                        'ABC'),
    ('@.title =~ @.title',                                ''),
    ('@.price > 10 && @.sale',                            'B'),
    ('@.price > 20 || @.sale',                            'BC'),
    ("@.price > 20 || @.sale && @.title == 'A'",          'C'),
    ("(@.price > 20 || @.sale) && @.title == 'C'",        'C'),
    ('!(@.price > 20 || @.sale)',                         'A'),
    ('!(!(@.sale))',                                      'B'),
    ('1 == 1',                                            'ABC'),
    ("'a' == 'b'",                                        ''),
    ('null == null',                                      'ABC'),
    ("@.price type 'x'",                                  ''),
    ("@.title == 'A' || true == true",                    'ABC'),
    ('@.price == -8',                                     ''),
    ('@.price == 8e0',                                    'A'),
    ('@.price.x',                                         ''),
    ('@.price[0]',                                        ''),
]


@pytest.mark.parametrize(("condition", "titles"), CONDITIONS)
def test_a_condition_holds_for(condition: str, titles: str) -> None:
    assert "".join(find(f"store.books[?({condition})].title")) == titles


#    path                                                  leads to
FILTERS = [
    ('m[?(@.a)]',                                         [{'a': 1, 'b': {'c': 2}}]),
    ('m[?(@.z)]',                                         []),
    ('store.name[?(@.x)]',                                None),
    ('store.none[?(@.x)]',                                None),
    ('nothing[?(@.x)]',                                   []),
    ('l[?(@ > 1)]',                                       [2, 3]),
    ('l[?(@)]',                                           [1, 2, 3]),
    ('l[ ?( @ > 1 ) ]',                                   [2, 3]),
    ('store..[?(@.price > 10)].title',                    ['B', 'C']),
    ('$..[?(@.c)]',                                       [{'c': 2}]),
    ('store.books[?(@.price > 10)].tags[*]',              ['new', 'x', 'x']),
    ('store.books[?(@.price > 10)][?(@.sale)].title',     ['B']),
]


@pytest.mark.parametrize(("path", "value"), FILTERS)
def test_a_filter_leads_to(path: str, value: Any) -> None:
    assert find(path) == value


#    left          operator    right          holds
KINDS = [
    ("1",          "==",       "1.0",         True),
    ("1",          "==",       "true",        False),
    ("true",       "==",       "1",           False),
    ("null",       "==",       "0",           False),
    ("''",         "==",       "null",        False),
    ("1",          "==",       "'1'",         True),
    ("1",          "==",       "'1.0'",       True),
    ("1",          "==",       "' 1'",        False),
    ("1",          "==",       "'one'",       False),
    ("'1'",        "==",       "1",           True),
    ("'1.0'",      "==",       "1",           False),
    ("[1, true]",  "==",       "[1, 1]",      False),
    ("[1, 'a']",   "==",       "[1.0, 'a']",  True),
    ("{'a': [1]}", "==",       "{\"a\":[1]}", True),
    ("{'a': 1}",   "==",       "{'a': 2}",    False),
    ("1",          "<",        "'2'",         False),
    ("'a'",        "<",        "'b'",         True),
    ("false",      "<",        "true",        False),
    ("null",       "<=",       "null",        False),
    ("9007199254740993", ">",  "9007199254740992", True),
    ("'it\\'s'", "==",       '"it\'s"',    True),
]


@pytest.mark.parametrize(("left", "operator", "right", "holds"), KINDS)
def test_kinds_of_values_compare(left: str, operator: str, right: str, holds: bool) -> None:
    assert find(f"$[?({left} {operator} {right})]", {}) == ([{}] if holds else [])


def test_a_pattern_cannot_hold_up_a_look_up() -> None:
    document = {"l": [{"name": "a" * 40}] * 50}
    assert find("l[?(@.name =~ /(a+)+b/)]", document) == []
    assert find("l[?(@.name =~ /(a|a)*$/)]", document) == document["l"]
    assert find("l[?(@.name =~ /.*/)]", {"l": [{"name": "a" * 400_000}] * 20}) is None
