"""
Texts that want to be more than text: in every name, reason, payload, log and id that somebody else may choose, on every page.

Nothing of it becomes an element, a link or a script, and the policy of the page has nothing to refuse: no inline script or style, and no text handed to the
browser's HTML parser (Trusted Types), whatever would have come of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from lookkit import Look
from scenes import Scenes, definition, node, simple

from batuta.client import TaskResult
from batuta.testing import EmbeddedServer, embedded

CORPUS = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style></title></textarea><svg/onload=alert(1)>",
    "javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "<a href='javascript:alert(1)'>click</a>", "<iframe srcdoc='<script>alert(1)</script>'>",
    '"><svg/onload=alert(1)>', "'-alert(1)-'", "`${alert(1)}`", "{{7*7}}", "${7*7}", "<style>*{display:none}</style>",
    "<math><mtext><mglyph><img src=x onerror=alert(1)>",
    "<!--", "-->", "]]>", "&lt;img src=x onerror=alert(1)&gt;", "\\u003cscript\\u003ealert(1)", "%3Cscript%3Ealert(1)", "\u202eright to left", "\u2066isolated",
    "zero\u200bwidth\u2060joined\ufeff", "\x1b[31mred\x1b[0m", "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07", "line\r\nline", "a\x00b", "\u2028\u2029",
]  # fmt: skip
ALL = " ".join(CORPUS)
NAME = '<img src=x onerror=alert(1)>"><svg onload=alert(1)>\u202e\u200b</script>javascript:alert(1)'
# What only somebody's text could have made.
MADE = (
    "img[src='x'], [onerror], [onload], iframe, object, embed, base, math, mglyph, script:not([src]), style:not([nonce]), [href^='javascript:' i], "
    "[href^='data:' i], [action]"
)
WATCH = """
    window.violations = [];
    const tell = e => `${e.effectiveDirective} ${e.blockedURI} ${e.sample} ${e.sourceFile}:${e.lineNumber}`;
    addEventListener("securitypolicyviolation", e => window.violations.push(tell(e)));
    for (const name of ["alert", "prompt", "confirm"]) window[name] = () => window.violations.push(`${name} was called`);
"""


@pytest.fixture(scope="module")
def hostile() -> Iterator[tuple[EmbeddedServer, dict[str, str]]]:
    """A server whose every text somebody hostile chose."""
    with embedded() as server:
        yield server, filled(server)


def filled(server: EmbeddedServer) -> dict[str, str]:
    client, scenes = server.client, Scenes(server.client)
    texts = {"texts": CORPUS, **{text: text for text in CORPUS}}
    plain = {text: text for text in CORPUS if "${" not in text}  # in definitions that is an expression
    client.register_task_defs([{"name": NAME, "description": ALL, "retryCount": 1, "retryDelaySeconds": 0, "ownerEmail": "x@example.com", "inputKeys": CORPUS}])
    client.register_workflow(
        definition(
            NAME, simple(NAME, inputParameters=plain, description=ALL), node("SWITCH", f"{NAME}?", evaluatorType="value-param", expression="x",
            inputParameters={"x": "1"}, decisionCases={text: [simple(f"{n}{text}", NAME)] for n, text in enumerate(CORPUS)}),
            description=ALL, inputParameters=CORPUS, outputParameters=plain, failureWorkflow=NAME,
        ),
        overwrite=True,
    )  # fmt: skip
    ids = {name: client.start_workflow(NAME, texts, correlation_id=NAME) for name in ("first", "second", "open")}
    for _ in range(2):
        task = scenes.take(NAME, worker=NAME)
        for text in CORPUS:
            client.add_task_log(task.id, text)
        done = TaskResult(status="FAILED_WITH_TERMINAL_ERROR", reason=ALL, output=texts, task_id=task.id, execution_id=task.execution_id, worker_id=NAME)
        client.update_task(done)
    scenes.take(NAME, worker=NAME)
    start = {"name": NAME, "version": 1, "input": texts, "correlationId": NAME}
    schedule = {"name": NAME, "cronExpression": "0 0 * * * *", "startWorkflowRequest": start, "description": ALL, "paused": True}
    client.request("POST", "/scheduler/schedules", body=schedule)
    action = {"action": "start_workflow", "start_workflow": {"name": NAME, "input": texts}}
    client.request("POST", "/event", body={"name": NAME, "event": f"conductor:{NAME}", "condition": "true", "actions": [action], "active": True})
    return ids


SHOWING = [
    "/", "/executions", "/executions?q={all}", "/execution/{first}", "/execution/{first}?view=graph", "/execution/{first}?view=tasks",
    "/execution/{first}?view=data", "/execution/{first}?view=definition", "/execution/{first}?view=events", "/execution/{open}", "/execution/{name}",
    "/compare?a={first}&b={second}", "/definitions", "/definitions?text={name}", "/definitions/{name}", "/definitions/{name}/1",
    "/definitions/{name}?view=versions", "/definitions/{name}?view=uses", "/definitions/{name}?view=edit", "/new/workflow?like={name}", "/tasks",
    "/tasks/{name}", "/start/{name}?like={first}&options=1", "/queues", "/queues?queue={name}", "/queues/tasks", "/workers", "/workers?worker={name}",
    "/schedules", "/schedules?name={name}", "/events", "/events?handler={name}",
]  # fmt: skip
SAYING_NOTHING = [
    "/executions?text={all}", "/new/task?name={name}", "/events?view=messages", "/events?view=dead", "/events?view=outgoing", "/failures", "/server",
    "/no/such/page/{name}",
]  # fmt: skip


@pytest.mark.parametrize("place", SHOWING + SAYING_NOTHING)
def test_no_text_is_more_than_text(look: Look, hostile: tuple[EmbeddedServer, dict[str, str]], place: str) -> None:
    server, ids = hostile
    page, url = look.page, f"http://127.0.0.1:{server.port}"
    look.expect_refusals()  # some of these addresses lead to what is not there
    page.add_init_script(WATCH)
    page.goto(url + place.format(all=quote(ALL, safe=""), name=quote(NAME, safe=""), **ids))
    main = page.locator("main")
    (main.get_by_text("onerror") if place in SHOWING else main.locator("h1, h2")).first.wait_for(state="attached")
    page.locator("main:not(:has([aria-busy=true]))").wait_for()
    assert page.locator(MADE).count() == 0, page.locator(MADE).first.evaluate("one => one.outerHTML")
    assert page.evaluate("violations") == []
