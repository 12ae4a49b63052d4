"""
Every expression recorded from a real Conductor server, and what it gave there.

One table for each recorded scenario, under its name. What a table's expressions can see (the state of the run when the server evaluated
them) stands above it.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from batuta.core.expr import template

# As much of `workflow` and of a task as expressions can read, as the server had them.
FIELDS: dict[str, Any] = {"input": {}, "output": {}, "status": "RUNNING", "workflowId": "w-1", "parentWorkflowId": None, "parentWorkflowTaskId": None,
          "workflowType": "given", "version": 1, "correlationId": None, "reasonForIncompletion": None, "schemaVersion": 2, "variables": {}}


class Run:
    """A scope over a run: its workflow fields and, for each reference, those of its latest task."""

    def __init__(self, input: Any = None, *, tasks: dict[str, Any] | None = None, task_id: str | None = None, **fields: Any) -> None:
        self.members = {"workflow": {**FIELDS, "input": input or {}, **fields}, **(tasks or {})}
        self.task_id = task_id

    def root(self, name: str) -> Any:
        return self.members.get(name, template.MISSING)

    def names(self) -> Iterable[str]:
        return self.members

    def constant(self, name: str) -> Any:
        if name == "CPEWF_TASK_ID":
            return self.task_id
        return None if name in ("NETFLIX_ENV", "NETFLIX_STACK") else template.MISSING

    def environment(self, name: str) -> Any:
        return None


def given(run: Run, *rows: tuple[Any, Any]) -> list[tuple[Run, Any, Any]]:
    return [(run, *row) for row in rows]


WHOLE = {"word": "text", "int": 7, "decimal": 2.5, "yes": True, "no": False, "none": None, "empty": "", "list": [1, [2, {"k": "v"}]],
         "map": {"a": {"b": None}}, "no_list": [], "no_map": {}}

A_WHOLE_VALUE_KEEPS_ITS_TYPE = given(Run(WHOLE), *((f"${{workflow.input.{key}}}", value) for key, value in WHOLE.items()))

AN_EMBEDDED_VALUE_BECOMES_TEXT = given(
    Run({"word": "text", "int": 7, "decimal": 2.5, "yes": True, "none": None, "empty": "", "list": [1, [2, None], {"k": "v"}],
         "map": {"a": 1, "b": ["x", "y"]}, "no_list": [], "no_map": {}}),
    ("<${workflow.input.word}>",     "<text>"),
    ("<${workflow.input.int}>",      "<7>"),
    ("<${workflow.input.decimal}>",  "<2.5>"),
    ("<${workflow.input.yes}>",      "<true>"),
    ("<${workflow.input.none}>",     "<null>"),
    ("<${workflow.input.empty}>",    "<>"),
    ("<${workflow.input.list}>",     "<[1, [2, null], {k=v}]>"),
    ("<${workflow.input.map}>",      "<{a=1, b=[x, y]}>"),
    ("<${workflow.input.no_list}>",  "<[]>"),
    ("<${workflow.input.no_map}>",   "<{}>"),
)

A_MISSING_PATH_IS_NULL = given(
    Run({"word": "text", "list": [1], "none": None}),
    ("${workflow.input.nothing}",            None),
    ("${workflow.input.nothing.at.all}",     None),
    ("${workflow.input.word.length}",        None),
    ("${workflow.input.none.x}",             None),
    ("${workflow.input.list[5]}",            None),
    ("${ghost.output.x}",                    None),
    ("${ghost}",                             None),
    ("${workflow.nothing}",                  None),
    ("a ${workflow.input.nothing} b",        "a null b"),
)

PATHS_INTO_LISTS_AND_MAPS = given(
    Run({"l": [[1, 2], {"k": ["x"]}], "m": {"two words": 1, "da-sh": 2, "7": "seven", "dot.ted": 3, "under_score": 4, "ž": 5}}),
    ("${workflow.input.l[0][1]}",                2),
    ("${workflow.input.l[1].k[0]}",              "x"),
    ("${workflow.input.l[-1]}",                  {"k": ["x"]}),
    ("${workflow.input.m['two words']}",         1),
    ("${workflow.input.m.da-sh}",                2),
    ("${workflow.input.m.7}",                    "seven"),
    ("${workflow.input.m['dot.ted']}",           3),
    ("${workflow.input.m.dot.ted}",              None),
    ("${workflow.input['m']['under_score']}",    4),
    ("${workflow.input.m.ž}",                    5),
)

BOOKS = [{"title": "A", "price": 8}, {"title": "B", "price": 12, "sale": True}, {"title": "C", "price": 30}]

WILDCARDS_SLICES_AND_FILTERS_GIVE_LISTS = given(
    Run({"books": BOOKS}),
    ("${workflow.input.books[*].title}",                   ["A", "B", "C"]),
    ("${workflow.input.books[0:2].title}",                 ["A", "B"]),
    ("${workflow.input.books[0,2].title}",                 ["A", "C"]),
    ("${workflow.input.books[?(@.price > 10)].title}",     ["B", "C"]),
    ("${workflow.input.books[?(@.sale)]}",                 [BOOKS[1]]),
    ("${workflow.input.books[?(@.title == 'C')].price}",   [30]),
    ("${workflow.input.books[?(@.price > 99)]}",           []),
    ("${workflow.input..title}",                           ["A", "B", "C"]),
    ("${workflow.input.books[0].*}",                       ["A", 8]),
    ("${workflow.input.books.title}",                      None),
)

LENGTHS_AND_KEYS = given(
    Run({"l": [1, 2, 3], "m": {"a": 1, "b": 2}, "w": "word"}),
    ("${workflow.input.l.length()}",   3),
    ("${workflow.input.m.length()}",   2),
    ("${workflow.input.m.keys()}",     ["a", "b"]),
    ("${workflow.input.w.length()}",   None),
    ("${workflow.input.x.length()}",   None),
)

AN_EXPRESSION_INSIDE_AN_EXPRESSION = given(
    Run({"i": 1, "k": "b", "l": ["x", "y"], "m": {"a": 1, "b": {"c": 2}}, "path": "workflow.input.i"}),
    ("${workflow.input.l[${workflow.input.i}]}",                     "y"),
    ("${workflow.input.m.${workflow.input.k}.c}",                    2),
    ("${workflow.input.m.${workflow.input.k}.${ghost.output.x}}",    None),
    ("${${workflow.input.path}}",                                    1),
)

SEVERAL_IN_ONE_STRING = given(
    Run({"a": 1, "b": "two", "c": None}),
    ("${workflow.input.a}${workflow.input.b}",                                   "1two"),
    ("${workflow.input.a} and ${workflow.input.b}, ${workflow.input.c}.",        "1 and two, null."),
    ("${workflow.input.a}-${workflow.input.a}",                                  "1-1"),
    ("{${workflow.input.a}}",                                                    "{1}"),
    ('{"v": "${workflow.input.b}", "n": ${workflow.input.a}}',                   '{"v": "two", "n": 1}'),
)

WHAT_IS_NOT_AN_EXPRESSION_STAYS_AS_IT_IS = given(
    Run({"a": 1}),
    ("$${workflow.input.a}",                          "${workflow.input.a}"),
    ("x $${workflow.input.a} ${workflow.input.a}",    "x ${workflow.input.a} 1"),
    ("${workflow.input.a",                            "${workflow.input.a"),
    ("{workflow.input.a}",                            "{workflow.input.a}"),
    ("$workflow.input.a",                             "$workflow.input.a"),
    ("workflow.input.a}",                             "workflow.input.a}"),
    ("$$ and $",                                      "$$ and $"),
    ("${}",                                           ""),
    ("${ }",                                          ""),
    ("a${}b",                                         "ab"),
    ("$${}",                                          "${}"),
)

AN_INPUT_THAT_LOOKS_LIKE_AN_EXPRESSION_IS_DATA = given(
    Run({"tricky": "${workflow.input.secret}", "secret": "s", "escaped": "$${x}"}),
    ("${workflow.input.tricky}",      "${workflow.input.secret}"),
    ("<${workflow.input.tricky}>",    "<${workflow.input.secret}>"),
    ("${workflow.input.escaped}",     "$${x}"),
)

KEYS_ARE_NEVER_EVALUATED = given(
    Run({"k": "key", "v": 9}),
    ({"${workflow.input.k}": "${workflow.input.v}"},                                         {"${workflow.input.k}": 9}),
    ({"list": ["${workflow.input.v}", [{"${workflow.input.k}": "at ${workflow.input.v}"}], 1, 2.5, True, None]},
     {"list": [9, [{"${workflow.input.k}": "at 9"}], 1, 2.5, True, None]}),
)

FIELDS_OF_THE_WORKFLOW = given(
    Run({"a": 1}, workflowType="fields", version=3, correlationId="c-7", variables={"v": 1}),
    ("${workflow.input}",                  {"a": 1}),
    ("${workflow.output}",                 {}),
    ("${workflow.status}",                 "RUNNING"),
    ("${workflow.workflowId}",             "w-1"),
    ("${workflow.parentWorkflowId}",       None),
    ("${workflow.workflowType}",           "fields"),
    ("${workflow.version}",                3),
    ("${workflow.correlationId}",          "c-7"),
    ("${workflow.reasonForIncompletion}",  None),
    ("${workflow.schemaVersion}",          2),
    ("${workflow.variables}",              {"v": 1}),
    *((f"${{workflow.{name}}}", None) for name in ("createTime", "startTime", "priority", "taskToDomain", "workflowName", "name", "tasks",
                                                   "workflowDefinition")),
)

TASK = {"input": {"in": 1}, "output": {"out": [1]}, "taskType": "step", "status": "COMPLETED", "referenceTaskName": "st", "retryCount": 0,
        "correlationId": "c-8", "pollCount": 1, "taskDefName": "step", "scheduledTime": 10, "startTime": 20, "endTime": 30,
        "workflowInstanceId": "w-1", "taskId": "t-1", "reasonForIncompletion": None, "callbackAfterSeconds": 0, "workerId": "w1", "iteration": 0}

FIELDS_OF_A_TASK = given(
    Run(correlationId="c-8", tasks={"st": TASK}),
    *((f"${{st.{name}}}", value) for name, value in TASK.items()),
    *((f"${{st.{name}}}", None) for name in ("seq", "inputData", "outputData")),
)

EARLY = Run(tasks={})
LATE = Run(tasks={"e": {**TASK, "input": {"l": None, "own": None, "text": "<null>"}, "output": {"x": 1}}})

A_LATER_TASK_READS_NULL_UNTIL_IT_HAS_RUN = [
    *given(EARLY, ({"l": "${l.output.x}", "own": "${e.input.l}", "text": "<${l.output}>"}, {"l": None, "own": None, "text": "<null>"})),
    *given(LATE, ({"e": "${e.output.x}", "seen": "${e.input}"}, {"e": 1, "seen": {"l": None, "own": None, "text": "<null>"}})),
]

NUMBERS = {"p53": 9007199254740993, "long": 9223372036854775807, "big": 123456789012345678901234567890, "minus": -9007199254740993,
           "tenth": 0.1, "pi": 3.141592653589793}

NUMBERS_KEEP_THEIR_PRECISION = given(
    Run(NUMBERS),
    *((f"${{workflow.input.{key}}}", number) for key, number in NUMBERS.items()),
    ("<${workflow.input.p53}>",      "<9007199254740993>"),
    ("<${workflow.input.long}>",     "<9223372036854775807>"),
    ("<${workflow.input.big}>",      "<123456789012345678901234567890>"),
    ("<${workflow.input.minus}>",    "<-9007199254740993>"),
    ("<${workflow.input.tenth}>",    "<0.1>"),
    ("<${workflow.input.pi}>",       "<3.141592653589793>"),
)

WORDS = {"accents": "příliš žluťoučký", "emoji": "🎉👩‍👩‍👧", "quotes": "it's \"so\"", "lines": "a\nb\tc", "back": "C:\\n\\d$1", "right": "שלום", "keyž": "v"}

LETTERS_OF_ALL_KINDS = given(
    Run(WORDS),
    *((f"${{workflow.input.{key}}}", word) for key, word in WORDS.items()),
    *((f"[${{workflow.input.{key}}}]", f"[{word}]") for key, word in WORDS.items()),
)

# A template's own expressions are not evaluated: what it fills in is data by the time anyone reads it.
FILLED = Run({"a": 1, "b": {"x": 1, "y": 2}, "c": "${workflow.input.a}", "d": 4})

THE_INPUT_TEMPLATE_FILLS_WHAT_IS_ABSENT_OR_NULL = given(
    FILLED,
    ("${workflow.input.a}",    1),
    ("${workflow.input.b}",    {"x": 1, "y": 2}),
    ("${workflow.input.c}",    "${workflow.input.a}"),
    ("${workflow.input.d}",    4),
)

# The task definition's template is merged with the task's parameters first, and evaluated with them.
MERGED = {"limit": "${workflow.input.limit}", "opts": {"a": 5}, "own": True, "url": "here", "who": "${workflow.input.who}"}

A_TASK_TEMPLATE_FILLS_WHAT_IS_ABSENT_OR_NULL = [
    *given(Run({"who": "me"}), (MERGED, {"limit": None, "opts": {"a": 5}, "own": True, "url": "here", "who": "me"})),
    *given(Run({"who": "you", "limit": 3}), (MERGED, {"limit": 3, "opts": {"a": 5}, "own": True, "url": "here", "who": "you"})),
]

REFERENCE_NAMES_WITH_DASHES_AND_SPACES = given(
    Run(tasks={"da-sh": {"output": {"v": 1}}, "two words": {"output": {"v": 2}}, "ümlaut": {"output": {"v": 3}}}),
    ("${da-sh.output.v}",             1),
    ("${['da-sh'].output.v}",         1),
    ("${['two words'].output.v}",     2),
    ("${two words.output.v}",         None),
    ("${ümlaut.output.v}",            3),
)

THE_LATEST_ATTEMPT_IS_READ = given(
    Run(tasks={"st": {**TASK, "output": {"v": "second"}, "retryCount": 1}}),
    ("${st.output.v}",                "second"),
    ("${st.retryCount}",              1),
    ("${st.reasonForIncompletion}",   None),
    ("${st.status}",                  "COMPLETED"),
)

OUTPUT_PARAMETERS_OF_A_FAILED_WORKFLOW = given(
    Run(tasks={"g": {"output": {"v": 1}}, "b": {"output": {"v": 2}, "status": "FAILED", "reasonForIncompletion": "too bad"}}),
    ("${g.output.v}",                 1),
    ("${b.output.v}",                 2),
    ("${never.output.v}",             None),
    ("${b.status}",                   "FAILED"),
    ("${b.reasonForIncompletion}",    "too bad"),
)

A_TASK_MAY_KNOW_ITS_OWN_ID = [
    *given(Run(task_id="t-1"), ("${CPEWF_TASK_ID}", "t-1"), ("task ${CPEWF_TASK_ID}", "task t-1")),
    *given(Run(task_id="t-2"), ("${CPEWF_TASK_ID}", "t-2"), ("task ${CPEWF_TASK_ID}", "task t-2")),
    *given(Run(), ("${CPEWF_TASK_ID}", "${CPEWF_TASK_ID}")),
]

ENVIRONMENT_AND_SECRETS_NOBODY_SET = given(
    Run(),
    ("${workflow.env.NOT_SET_ANYWHERE}",        None),
    ("${workflow.secrets.NOT_SET_ANYWHERE}",    "${workflow.secrets.NOT_SET_ANYWHERE}"),
)

THE_DEFAULT_VALUE_OF_A_VARIABLE = [
    *given(Run({"x": "y"}, variables={"count": 1, "kept": {"a": True}}),
           ({"count": 5, "was": "${workflow.variables.count}", "list": ["${workflow.input.x}"]}, {"count": 5, "was": 1, "list": ["y"]})),
    *given(Run(variables={"count": 5, "was": 1, "list": ["y"], "kept": {"a": True}}),
           ("${workflow.variables.count}",     5),
           ("${workflow.variables.was}",       1),
           ("${workflow.variables.kept.a}",    True),
           ("${workflow.variables}",           {"count": 5, "was": 1, "list": ["y"], "kept": {"a": True}})),
]

# From other areas: loops (do_while), large inputs (limits), requests (http_task).
LOOP = Run(tasks={"loop": {"output": {"1": {"sq": {"result": 1}}, "2": {"sq": {"result": 4}}, "iteration": 2}}, "sq": {"output": {"result": 4}}})
ROWS = Run({"rows": [{"id": i} for i in range(20_000)]})
REQUEST = Run({"id": 7, "q": "a b", "how": "GET", "map": {"a": 1}}, tasks={"h": {"output": {"response": {"body": [{}, {"a": 1}], "statusCode": 200}}}})

OF_OTHER_AREAS = [
    *given(LOOP,
           ("${sq.output.result}",                             4),
           ("${loop.output.2.sq.result}",                      4),
           ("${loop.output['1'].sq.result}",                   1),
           ("${sq__2.output.result}",                          None),
           ("${loop.output.iteration}",                        2)),
    *given(ROWS,
           ("${workflow.input.rows.length()}",                 20_000),
           ("${workflow.input.rows[-1]}",                      {"id": 19_999}),
           ("${workflow.input.rows[10000].id}",                10_000),
           ("${workflow.input.rows[?(@.id > 19997)].id}",      [19_998, 19_999])),
    *given(REQUEST,
           ("http://here/echo/${workflow.input.id}?q=${workflow.input.q}",    "http://here/echo/7?q=a b"),
           ({"http_request": {"method": "${workflow.input.how}", "headers": {"X-Of": "${workflow.input.map.a}"}, "body": "${workflow.input.map}"}},
            {"http_request": {"method": "GET", "headers": {"X-Of": 1}, "body": {"a": 1}}}),
           ("${h.output.response.body[1].a}",                  1),
           ("${h.output.response.statusCode}",                 200)),
]

SCENARIOS = {name.lower(): rows for name, rows in globals().items() if name.isupper() and isinstance(rows, list) and isinstance(rows[0], tuple)}


@pytest.mark.parametrize(("run", "value", "gives"), [pytest.param(*row, id=f"{name}-{n}") for name, rows in SCENARIOS.items()
                                                      for n, row in enumerate(rows)])
def test_a_recorded_expression_gives_what_the_server_gave(run: Run, value: Any, gives: Any) -> None:
    found = template.evaluate(value, run)
    assert repr(found) == repr(gives)  # with types: 1 is not true, 4.0 is not 4
