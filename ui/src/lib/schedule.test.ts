import { expect, test } from "vitest";
import type { Schedule } from "../api/types";
import {
  brokenFields,
  cronParts,
  entriesOf,
  firingsQuery,
  localField,
  localInstant,
  wallClock,
  withEntries,
} from "./schedule";

const nightly = {
  name: "nightly",
  cronExpression: "0 0 3 * * *",
  zoneId: "Europe/Prague",
  startWorkflowRequest: { name: "report", input: { deep: [1] } },
} as Schedule;

test("one expression stands alone, several in the list, and nothing else is lost", () => {
  expect(entriesOf(nightly)).toEqual([{ cron: "0 0 3 * * *", zone: "Europe/Prague" }]);
  const two = withEntries(nightly, [...entriesOf(nightly), { cron: "@daily", zone: "UTC" }]);
  expect(entriesOf(two).map(one => one.cron)).toEqual(["0 0 3 * * *", "@daily"]);
  expect(two.startWorkflowRequest).toEqual(nightly.startWorkflowRequest);
  expect(entriesOf(withEntries(two, entriesOf(nightly)))).toEqual(entriesOf(nightly));
});

test("an expression falls into its fields", () => {
  expect(cronParts(" 0 30  7 * * MON-FRI ")).toEqual(["0", "30", "7", "*", "*", "MON-FRI"]);
  expect(cronParts("0 0 7 * * MON 2026")).toHaveLength(6);
  expect(cronParts("@daily")).toEqual(["@daily"]);
});

test("an instant is told by the clock of the schedule's zone", () => {
  const at = Date.UTC(2026, 10, 23, 6, 30);
  expect(wallClock(at, "Europe/Prague")).toMatch(/^Mon,? 23 Nov 2026.* 07:30:00 CET$/);
  expect(wallClock(at, "Europe/Prague", true)).toMatch(/^Mon,? 23 Nov,? 07:30 CET$/);
  expect(wallClock(at, "Nowhere/Land")).toMatch(/06:30:00 UTC$/);
});

test("a bound survives the way into a field and back", () => {
  const at = Date.UTC(2026, 5, 1, 12, 30);
  expect(localInstant(localField(at))).toBe(at);
  expect([localField(undefined), localInstant("")]).toEqual(["", undefined]);
});

test("names that the query language would take apart are asked for as they are", () => {
  expect(firingsQuery("nightly")).toBe("scheduleName IN (nightly)");
  expect(firingsQuery("a, b")).toBe("a, b");
});

test("what is broken is known by its field", () => {
  const said = [{ path: "saveSchedule.arg0.cronSchedules[1]", message: "no" }];
  expect(brokenFields(said)).toEqual({ "cronSchedules[1]": "no" });
});
