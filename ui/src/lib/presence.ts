/** Whether whoever served this page answers. */
export async function isThere(): Promise<boolean> {
  try {
    await fetch("/favicon.svg", { cache: "no-store" });
    return true;
  } catch {
    return false;
  }
}
