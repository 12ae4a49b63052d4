import { expect, test } from "vitest";
import { cause } from "./reason";

const ID = "01a20271-3e8f-7605-9705-000000000004";
test.each([
  [`Task ${ID} failed with status: FAILED and reason: '403 Forbidden'`, "403 Forbidden"],
  [`Task ${ID} failed with status: FAILED and reason: 'it's 'odd''`, "it's 'odd'"],
  [`Task ${ID} failed with status: TIMED_OUT and reason: 'cut off here`, "cut off here"],
  [
    `Task ${ID} failed with status: FAILED and reason: 'Sub workflow a.1/${ID} failure reason: Task ${ID} failed with status: FAILED and reason: 'two\nlines''`,
    "two\nlines",
  ],
  [
    `Task ${ID} failed with status: FAILED and reason: 'null'`,
    `Task ${ID} failed with status: FAILED and reason: 'null'`,
  ],
  ["superseded by 2.4.0", "superseded by 2.4.0"],
  [null, ""],
])("%s", (text, shown) => expect(cause(text)).toBe(shown));
