// Pages elsewhere that the operator has named (the setting console_links); the server writes them into the page.
function given(): Record<string, string> {
  try {
    return JSON.parse(document.querySelector<HTMLMetaElement>('meta[name="links"]')?.content ?? "{}");
  } catch {
    return {}; // while the console is developed nobody writes them
  }
}

export const LINKS = Object.entries(given());
