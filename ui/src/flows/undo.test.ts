import { expect, it } from "vitest";
import { begin, changedTo, redone, undone } from "./undo";

it("goes back and forth, and forgets the future when something else is done", () => {
  let line = changedTo(changedTo(begin("a"), "b", "", 1), "c", "", 2);
  line = undone(undone(line));
  expect(line.now).toBe("a");
  expect(undone(line)).toBe(line);
  line = redone(line);
  expect(line.now).toBe("b");
  line = changedTo(line, "d", "", 3);
  expect(redone(line)).toBe(line);
  expect(undone(line).now).toBe("b");
});

it("takes typing in one field as one step, and two fields as two", () => {
  let line = begin("");
  for (const [index, text] of ["f", "fo", "fox"].entries()) line = changedTo(line, text, "prompt", index * 100);
  line = changedTo(line, "fox!", "title", 400);
  expect(undone(line).now).toBe("fox");
  expect(undone(undone(line)).now).toBe("");
  expect(changedTo(line, "later", "title", 9000).past.length).toBe(line.past.length + 1);
  expect(changedTo(line, line.now, "", 1)).toBe(line);
});
