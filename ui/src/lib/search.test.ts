import { expect, test } from "vitest";
import { filterOf, NOTHING, queryOf, quoted, taskFilterOf, taskQueryOf } from "./search";

test("a filter becomes a query of the API's language", () => {
  expect(queryOf(NOTHING, "")).toBe("");
  expect(queryOf({ ...NOTHING, statuses: ["FAILED", "TIMED_OUT"], name: "my flow" }, "")).toBe(
    'status IN (FAILED,TIMED_OUT) AND workflowType = "my flow"',
  );
  expect(queryOf({ ...NOTHING, top: true }, "version > 1 OR priority = 3")).toBe(
    "parentWorkflowId IS null AND (version > 1 OR priority = 3)",
  );
  expect(queryOf(NOTHING, " status = FAILED ")).toBe("status = FAILED");
  expect(queryOf({ ...NOTHING, within: "1h" }, "", 7_200_030)).toBe("startTime > 3600000");
});

test("what is asked stands in the URL", () => {
  expect(filterOf(new URLSearchParams("status=FAILED,RUNNING&name=a%20b&top=1&within=24h"))).toEqual({
    statuses: ["FAILED", "RUNNING"],
    name: "a b",
    correlationId: "",
    top: true,
    within: "24h",
  });
});

test("quotes are put around quotes", () => {
  expect([quoted("a"), quoted('say "hi"')]).toEqual(['"a"', "'say \"hi\"'"]);
});

test("a filter of tasks becomes a query of the API's language", () => {
  const filter = taskFilterOf(new URLSearchParams("status=SCHEDULED,FAILED&type=flash&domain=bench-2"));
  expect(taskQueryOf(filter, "queueWaitTime > 5 OR x = 1")).toBe(
    'status IN (SCHEDULED,FAILED) AND taskType = "flash" AND domain = "bench-2" AND (queueWaitTime > 5 OR x = 1)',
  );
  expect(taskQueryOf(taskFilterOf(new URLSearchParams()), "")).toBe("");
});
