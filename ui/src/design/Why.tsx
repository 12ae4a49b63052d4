import { cause } from "../lib/reason";

/** Why something failed, in one line: the cause; its title says all that was said. */
export function Why({ text }: { text: string | null | undefined }) {
  return (
    <span className="soft" title={text ?? ""}>
      {cause(text)}
    </span>
  );
}
