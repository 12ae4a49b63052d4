// Why it failed, as a person asks: without the sentence Conductor puts around it, which names the task by its id and quotes the reason at the end.
const AROUND = [
  /^Task \S+ failed with status: \w+ and reason: '([\s\S]*?)'?$/,
  /^Sub workflow .+? failure reason: ([\s\S]*)$/, // a parent's, around its child's
];
const NOTHING = new Set(["", "null", "None"]);

/** The innermost reason; all of the text when it is none of these sentences, or quotes nothing. */
export function cause(text: string | null | undefined): string {
  let found = text ?? "";
  for (let depth = 0; depth < 8; depth++) {
    const inner = AROUND.map(one => one.exec(found)?.[1]).find(one => one !== undefined);
    if (inner === undefined || NOTHING.has(inner)) break;
    found = inner;
  }
  return found;
}
