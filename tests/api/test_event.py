"""/api/event and /api/queue as clients see them."""

from __future__ import annotations

from typing import Any

import pytest
from edgework import Edge


def handler(name: str = "h", event: str = "conductor:shop:orders/new", **fields: Any) -> dict[str, Any]:
    action = {"action": "start_workflow", "start_workflow": {"name": "flow", "input": {"n": "${n}"}}}
    return {"name": name, "event": event, "active": True, "actions": [action], **fields}


def deliver(edge: Edge, id: str, payload: Any, event: str = "conductor:shop:orders/new") -> None:
    from batuta.engine.providers import Message

    edge.run(edge.services.events.receive(Message(event, id, payload)))


def test_a_handler_is_given_back_with_its_defaults(edge: Edge) -> None:
    assert edge.call("POST", "/api/event", handler(active=None)).status == 200
    expected = {
        "name": "h", "event": "conductor:shop:orders/new", "active": False,
        "actions": [{"action": "start_workflow", "start_workflow": {"name": "flow", "input": {"n": "${n}"}}, "expandInlineJSON": False}],
    }  # fmt: skip
    assert edge.call("GET", "/api/event").json == [expected]
    place = "/api/event/conductor%3Ashop%3Aorders%2Fnew"
    assert edge.call("GET", place).json == [] and edge.call("GET", f"{place}?activeOnly=false").json == [expected]
    assert edge.call("PUT", "/api/event", handler()).status == 200 and [h["active"] for h in edge.call("GET", place).json] == [True]
    assert edge.call("DELETE", "/api/event/h").status == 200 and edge.call("GET", "/api/event").json == []


def test_tags_are_set_taken_off_and_kept_when_a_handler_is_replaced(edge: Edge) -> None:
    team, tier = {"key": "team", "value": "k1"}, {"key": "tier", "value": "gold", "type": "METADATA"}
    edge.call("POST", "/api/event", handler())
    assert edge.call("GET", "/api/event/h/tags").json == [] and "tags" not in edge.call("GET", "/api/event").json[0]
    assert edge.call("PUT", "/api/event/h/tags", [team, tier]).status == 200
    assert edge.call("PUT", "/api/event", handler(condition="true")).status == 200
    assert edge.call("GET", "/api/event/h/tags").json == edge.call("GET", "/api/event").json[0]["tags"] == [team, tier]
    assert edge.call("DELETE", "/api/event/h/tags", [team]).status == 200 and edge.call("GET", "/api/event/h/tags").json == [tier]
    assert edge.call("PUT", "/api/event/h/tags", [{"key": "half"}]).status == 400
    assert edge.call("GET", "/api/event/ghost/tags").status == edge.call("PUT", "/api/event/ghost/tags", []).status == 404


#    method    path            body                                                     status
REFUSED = [
    ("POST",   "/api/event",   handler("there"),                                        409),
    ("PUT",    "/api/event",   handler("ghost"),                                        404),
    ("DELETE", "/api/event/ghost", None,                                                404),
    ("POST",   "/api/event",   {},                                                      400),
    ("POST",   "/api/event",   [handler(), handler("there")],                           409),
    ("POST",   "/api/event",   [handler(), handler()],                                  409),
    ("POST",   "/api/event",   [handler(), {}],                                         400),
    ("POST",   "/api/event",   [handler(), 1],                                          400),
    ("POST",   "/api/event",   [],                                                      400),
    ("PUT",    "/api/event",   [handler("there")],                                      400),
    ("POST",   "/api/event",   handler(actions=[{"action": "dance"}]),                  400),
    ("DELETE", "/api/event/dead/none", None,                                            404),
    ("POST",   "/api/event/dead/none/redeliver", None,                                  404),
    ("GET",    "/api/event/executions?status=DONE", None,                               400),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
def test_what_cannot_be_is_refused(edge: Edge, method: str, path: str, body: Any, status: int) -> None:
    edge.call("POST", "/api/event", handler("there"))
    assert edge.call(method, path, body).status == status
    assert [h["name"] for h in edge.call("GET", "/api/event").json] == ["there"]


def test_a_list_of_handlers_is_registered_as_the_javascript_client_does(edge: Edge) -> None:
    assert edge.call("POST", "/api/event", [handler("a"), handler("b")]).status == 200
    assert [h["name"] for h in edge.call("GET", "/api/event").json] == ["a", "b"]


def test_conductors_words_for_a_handler_with_nothing_in_it(edge: Edge) -> None:
    assert edge.call("POST", "/api/event", {}).said == [
        ("addEventHandler.arg0.name", "Missing event handler name"),
        ("addEventHandler.arg0.event", "Missing event location"),
        ("addEventHandler.arg0.actions", "No actions specified. Please specify at-least one action"),
    ]


def test_what_became_of_messages_is_listed(edge: Edge) -> None:
    edge.call("POST", "/api/event", handler())
    deliver(edge, "m1", {"n": 1})
    edge.register()
    deliver(edge, "m2", {"n": 2})
    listed = edge.call("GET", "/api/event/executions?handler=h").json
    assert listed["totalHits"] == 2 and {(e["id"], e["status"]) for e in listed["results"]} == {("m1_0", "FAILED"), ("m2_0", "COMPLETED")}
    assert edge.call("GET", "/api/event/executions?size=1&start=1").json["totalHits"] == 2
    [dead] = edge.call("GET", "/api/event/dead").json["results"]
    assert (dead["messageId"], dead["payload"], dead["attempts"]) == ("m1", {"n": 1}, 1)
    assert dead["failures"] == [{"handler": "h", "action": "start_workflow", "reason": "No such workflow defined. name=flow, version=null"}]
    assert edge.call("POST", f"/api/event/dead/{dead['id']}/redeliver").json is None
    assert edge.call("GET", "/api/event/dead").json == {"totalHits": 0, "results": []}
    assert edge.call("GET", "/api/event/executions?status=FAILED").json["totalHits"] == 0


def test_a_message_set_aside_can_be_dropped(edge: Edge) -> None:
    edge.call("POST", "/api/event", handler())
    deliver(edge, "m1", {})
    [dead] = edge.call("GET", "/api/event/dead").json["results"]
    assert edge.call("DELETE", f"/api/event/dead/{dead['id']}").status == 200
    assert edge.call("GET", "/api/event/dead").json["results"] == []


def test_event_queues_are_those_of_active_handlers(edge: Edge) -> None:
    edge.call("POST", "/api/event", handler())
    edge.call("POST", "/api/event", handler("idle", "conductor:idle", active=False))
    assert edge.call("GET", "/api/admin/queues").json == {"conductor:shop:orders/new": "shop:orders/new"}
    assert edge.call("GET", "/api/admin/queues?verbose=true").json == {"conductor:shop:orders/new": {"shop:orders/new": 0}}
    assert edge.call("GET", "/api/queue/").json == edge.call("GET", "/api/queue/size").json == {}


def test_a_queue_update_ends_a_waiting_task(edge: Edge) -> None:
    edge.register("flow", edge.task("hold", type="WAIT"), edge.task("more", type="WAIT"))
    x = edge.start()
    assert edge.call("POST", f"/api/queue/update/{x}/hold/COMPLETED", {"n": 1}).status == 200
    second = edge.call("GET", f"/api/workflow/{x}").json["tasks"][1]
    assert edge.call("POST", f"/api/queue/update/{x}/task/{second['taskId']}/FAILED", {"n": 2}).status == 200
    ended = edge.call("GET", f"/api/workflow/{x}").json
    assert [(t["status"], t["outputData"]) for t in ended["tasks"]] == [("COMPLETED", {"n": 1}), ("FAILED", {"n": 2})]


#    path after /api/queue/update/{x}                               status
UPDATES = [
    ("/hold/CANCELED",                                              400),
    ("/other/COMPLETED",                                            404),
    ("/task/00000000-0000-0000-0000-000000000000/COMPLETED",        404),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), UPDATES)
def test_a_queue_update_that_cannot_be_is_refused(edge: Edge, path: str, status: int) -> None:
    edge.register("flow", edge.task("hold", type="WAIT"))
    assert edge.call("POST", f"/api/queue/update/{edge.start()}{path}", {}).status == status
    assert edge.call("POST", f"/api/queue/update/nobody{path}", {}).status == (400 if status == 400 else 404)
