"""Searching through the API: every form a console or an SDK sends, over executions and over their tasks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from edgework import Edge

TASK = {"name": "work", "taskReferenceName": "one", "type": "SIMPLE", "inputParameters": {"note": "${workflow.input.note}"}}
SUB = {"name": "inner", "taskReferenceName": "sub", "type": "SUB_WORKFLOW", "subWorkflowParam": {"name": "inner"}}


@pytest.fixture
def filled(edge: Edge) -> dict[str, str]:
    """Three executions: `done` completed, `lost` failed, `open` waits with a child; their ids by these names."""
    child = {"name": "inner", "version": 1, "tasks": [TASK]}
    outer = {"name": "outer", "version": 1, "tasks": [TASK]}
    nested = {"name": "nested", "version": 1, "tasks": [SUB]}
    edge.call("PUT", "/api/metadata/workflow", [child, outer, nested])
    ids = {}
    for name, kind, note in (("done", "outer", "green apples"), ("lost", "outer", "red Pears"), ("open", "nested", "blue")):
        body = {"name": kind, "correlationId": f"c-{name}", "input": {"note": note}}
        ids[name] = edge.call("POST", "/api/workflow", body).text
        edge.clock.advance(1_000)
    for name, status in (("done", "COMPLETED"), ("lost", "FAILED_WITH_TERMINAL_ERROR")):
        (task,) = edge.call("GET", f"/api/workflow/{ids[name]}").json["tasks"]
        report = {"taskId": task["taskId"], "workflowInstanceId": ids[name], "status": status, "outputData": {"x": name}}
        edge.call("POST", "/api/tasks", {**report, "reasonForIncompletion": f"because of {name}"})
    return ids


def names_of(found: Any, ids: dict[str, str]) -> list[str]:
    known = {id: name for name, id in ids.items()}
    return [known.get(one["workflowId"], "child") for one in found["results"]]


#    query                                                            free text                 found, newest first
EXECUTIONS = [
    ("workflowType IN (outer)",                                       "*",                      "lost done"),
    ('workflowType="outer" AND status IN ("FAILED","TERMINATED")',    "*",                      "lost"),
    ("workflowType='outer' AND startTime>0 AND startTime<99999999999999", "*",                  "lost done"),
    ("correlationId='c-open'",                                        "*",                      "child open"),
    ("status=RUNNING",                                                "*",                      "child open"),
    ('parentWorkflowId="" AND status = RUNNING',                      "*",                      "open"),
    ("classifier IN (workflow) AND workflowType = outer",             "",                       "lost done"),
    ("classifier IN (agent)",                                         "*",                      ""),
    ("workflowType = out*",                                           "*",                      "lost done"),
    ("status != RUNNING OR correlationId = c-open",                   "*",                      "lost done child open"),
    ("version BETWEEN 1 AND 1 AND workflowType STARTS_WITH \"nes\"",  "*",                      "open"),
    ("endTime > 0",                                                   "*",                      "lost done"),
    ("",                                                              "apples",                 "done"),
    ("",                                                              "red pears",              "lost"),
    ("",                                                              '"red pears"',            "lost"),
    ("",                                                              '"pears red"',            ""),
    ("",                                                              "apples OR pears",        "lost done"),
    ("",                                                              "status:FAILED",          "lost"),
    ("",                                                              "workflowType:outer -apples", "lost"),
    ("",                                                              "because",                "lost"),
    ("workflowType = outer",                                          "gree*les",               "done"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "words", "expected"), EXECUTIONS)
@pytest.mark.parametrize("path", ["search", "search-v2"])
def test_executions_are_found(edge: Edge, filled: dict[str, str], path: str, query: str, words: str, expected: str) -> None:
    found = edge.call("GET", f"/api/workflow/{path}?sort=startTime:DESC&query={quote(query)}&freeText={quote(words)}").json
    assert (found["totalHits"], sorted(names_of(found, filled))) == (len(expected.split()), sorted(expected.split()))


#    query                                                            free text        of these executions
TASKS = [
    ("taskDefName = work",                                            "*",             "child done lost"),
    ("taskType = SUB_WORKFLOW",                                       "*",             "open"),
    ("status = COMPLETED",                                            "*",             "done"),
    ("workflowType = outer",                                          "*",             "done lost"),
    ("correlationId = c-lost",                                        "*",             "lost"),
    ("",                                                              "green",         "done"),
    ("",                                                              "taskDefName:work because", "done lost"),
    ("reasonForIncompletion = *lost*",                                "*",             "lost"),
    ("referenceTaskName = sub OR status = FAILED_WITH_TERMINAL_ERROR", "",             "lost open"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "words", "expected"), TASKS)
@pytest.mark.parametrize("path", ["tasks/search", "tasks/search-v2", "workflow/search-by-tasks", "workflow/search-by-tasks-v2"])
def test_tasks_are_found_and_executions_by_them(edge: Edge, filled: dict[str, str], path: str, query: str, words: str, expected: str) -> None:
    found = edge.call("GET", f"/api/{path}?query={quote(query)}&freeText={quote(words)}").json
    named = {id: name for name, id in filled.items()}
    got = [named.get(one.get("workflowInstanceId") or one["workflowId"], "child") for one in found["results"]]
    assert (found["totalHits"], sorted(got)) == (len(expected.split()), expected.split())


def test_only_top_level_executions_and_only_one_class(edge: Edge, filled: dict[str, str]) -> None:
    assert edge.call("GET", "/api/workflow/search").json["totalHits"] == 4
    assert edge.call("GET", "/api/workflow/search?topLevelOnly=true").json["totalHits"] == 3
    assert edge.call("GET", "/api/workflow/search?topLevelOnly=true&classifier=workflow,agent&query=status%3DRUNNING").json["totalHits"] == 1
    assert edge.call("GET", "/api/workflow/search-v2?classifier=agent").json["totalHits"] == 0
    found = edge.call("GET", f"/api/workflow/search?query=parentWorkflowId%3D{filled['open']}").json
    assert names_of(found, filled) == ["child"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["child", "open", "lost", "done"]),
        ("startTime:DESC", ["child", "open", "lost", "done"]),
        ("startTime:ASC", ["done", "lost", "child", "open"]),  # the child began in the same instant: newest first
        ("status:DESC|startTime:ASC", ["child", "open", "lost", "done"]),
        ("correlationId:ASC", ["done", "lost", "child", "open"]),
        ("workflowType:ASC|correlationId:DESC", ["child", "open", "lost", "done"]),
        ("externalInputPayloadStoragePath:ASC|startTime", ["done", "lost", "child", "open"]),  # a column of Conductor's interface
    ],
)
def test_what_is_found_is_sorted_and_paged(edge: Edge, filled: dict[str, str], sort: str, expected: list[str]) -> None:
    assert names_of(edge.call("GET", f"/api/workflow/search?sort={sort}").json, filled) == expected
    pages = [edge.call("GET", f"/api/workflow/search?sort={sort}&start={start}&size=1").json for start in range(5)]
    assert [name for page in pages for name in names_of(page, filled)] == expected
    assert {page["totalHits"] for page in pages} == {4}


FIELD = "have no such field, expected one of classifier, correlationId, createdBy, "
#    asked                                                     said
REFUSED = [
    ("size=5001",                                              "Cannot return more than 5000 workflows. Please use pagination."),
    ("size=-1",                                                "query parameter 'size' is the text '-1'; expected a whole number, 0 or more"),
    ("start=-1",                                               "query parameter 'start' is the text '-1'; expected a whole number, 0 or more"),
    ("query=foo bar baz",                                      "Incorrectly formatted query string: foo bar baz"),
    ("query=status IN (",                                      "query string: status IN (; at '' expected values, separated by commas, and )"),
    ("query=nobody = 7",                                       f"query field 'nobody': executions {FIELD}"),
    ("query=status = DONE",                                    "query field 'status': found 'DONE', expected one of RUNNING, PAUSED, COMPLETED, "),
    ("query=startTime > soon",                                 "query field 'startTime': found 'soon', expected epoch milliseconds or an ISO date"),
    (f"query=startTime > {2**63}",                             f"query field 'startTime': found '{2**63}', expected epoch milliseconds or an ISO date"),
    ("query=priority = high",                                  "query field 'priority': found 'high', expected a whole number"),
    ("sort=nobody:ASC",                                        f"sort by 'nobody': executions {FIELD}"),
    ("sort=startTime:UP",                                      "sort by 'startTime': found the direction 'UP', expected ASC or DESC"),
    ("freeText=startTime:soon",                                "query field 'startTime': found 'soon', expected epoch milliseconds or an ISO date"),
    ("freeText=status:DONE",                                   "query field 'status': found 'DONE', expected one of RUNNING, PAUSED, COMPLETED, "),
    ("freeText=" + "a" * 1001,                                 "freeText has 1,001 characters, expected at most 1,000"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), REFUSED)
@pytest.mark.parametrize("path", ["search", "search-v2"])
def test_what_cannot_be_asked_is_refused(edge: Edge, path: str, asked: str, said: str) -> None:
    answer = edge.call("GET", f"/api/workflow/{path}?{quote(asked, safe='=')}")
    assert (answer.status, said in answer.text) == (400, True), answer.text


#    asked                                                     said
REFUSED_OF_TASKS = [
    ("query=version = 1",                                      "query field 'version': tasks have no such field, expected one of correlationId, domain, "),
    ("query=status = RUNNING",                                 "query field 'status': found 'RUNNING', expected one of SCHEDULED, IN_PROGRESS, "),
    ("query=queueWaitTime > long",                             "query field 'queueWaitTime': found 'long', expected a whole number"),
    ("sort=priority:ASC",                                      "sort by 'priority': tasks have no such field, expected one of correlationId, domain, "),
    ("size=-1",                                                "query parameter 'size' is the text '-1'; expected a whole number, 0 or more"),
    ("query=taskType =",                                       "Incorrectly formatted query string: taskType =; at '' expected a value"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "said"), REFUSED_OF_TASKS)
@pytest.mark.parametrize("path", ["tasks/search", "tasks/search-v2", "workflow/search-by-tasks", "workflow/search-by-tasks-v2"])
def test_what_cannot_be_asked_of_tasks_is_refused(edge: Edge, path: str, asked: str, said: str) -> None:
    answer = edge.call("GET", f"/api/{path}?{quote(asked, safe='=')}")
    assert (answer.status, said in answer.text) == (400, True), answer.text
