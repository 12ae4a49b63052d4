/** What a <style> made by a script must carry to be applied; the server makes a new one for every page. */
export const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
