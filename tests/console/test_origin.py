"""A browser on somebody's desk is no way in: pages of other sites cannot act through it, not even under a name that leads here."""

from __future__ import annotations

import pytest
from lookkit import Look, Stage
from scenes import definition, simple

# What a page can send without asking: forms, beacons, requests whose answer it will not see, images, sources of events.
ATTACK = """async url => {
    const urls = ["/api/workflow/bulk/terminate", "/api/workflow/human-flow", "/api/tasks"];
    for (const path of urls) {
        for (const type of ["text/plain", "application/x-www-form-urlencoded"]) {
            const headers = { "content-type": type };
            await fetch(url + path, { method: "POST", mode: "no-cors", credentials: "include", headers, body: "[]" }).catch(() => null);
        }
        navigator.sendBeacon(url + path, "[]");
    }
    await fetch(url + "/api/workflow/bulk/terminate", { method: "DELETE" }).catch(() => null);
    await new Promise(done => {
        const image = new Image();
        image.onload = image.onerror = done;
        image.referrerPolicy = "no-referrer";
        image.src = url + "/api/tasks/poll/guarded";
    });
    await new Promise(done => {
        const source = new EventSource(url + "/api/console/events");
        source.onerror = done;
    });
    const form = document.createElement("form");
    form.method = "POST";
    form.enctype = "text/plain";
    form.action = url + "/api/workflow/guarded";
    document.body.append(form);
    form.submit();
}"""


@pytest.mark.parametrize("address", ["http://127.0.0.1", "http://localhost", "http://batuta"])
def test_a_page_of_another_site_changes_nothing(look: Look, stage: Stage, address: str) -> None:
    page, client = look.page, stage.server.client
    look.expect_refusals()
    client.register_workflow(definition("guarded", simple("guarded")), overwrite=True)
    started = client.start_workflow("guarded")
    answers: list[tuple[str, str, int]] = []
    page.on("response", lambda answer: "/api/" in answer.url and answers.append((answer.request.method, answer.url, answer.status)))
    page.route("http://elsewhere.example/**", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><title>Elsewhere</title>"))
    page.goto("http://elsewhere.example/")
    with page.expect_response(lambda answer: answer.url.endswith("/api/workflow/guarded")) as last:
        page.evaluate(ATTACK, f"{address}:{stage.server.port}")
    assert last.value.status == 403
    assert {status for method, _, status in answers if method != "OPTIONS"} == {403}, answers
    assert client.get_workflow(started).tasks[0].status == "SCHEDULED" and client.search("workflowType = guarded")["totalHits"] == 1
    client.request("POST", f"/workflow/{started}/terminate")
    client.request("DELETE", f"/workflow/{started}/remove")


def test_a_name_that_leads_here_is_told_apart(look: Look, stage: Stage) -> None:
    page = look.page
    look.expect_refusals()
    page.goto(f"http://elsewhere.example:{stage.server.port}/executions")
    page.get_by_text("BATUTA_ALLOWED_HOSTS").first.wait_for()
    page.get_by_role("button", name="Disconnected").wait_for()
    read = page.evaluate("async () => (await fetch('/api/workflow/search', { headers: { 'accept-language': '*' } })).status")
    acted = page.evaluate("async () => (await fetch('/api/workflow/bulk/terminate', { method: 'POST', body: '[]' })).status")
    assert (read, acted) == (403, 403)
