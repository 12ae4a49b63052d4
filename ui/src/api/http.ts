// Requests to the server this page came from. Every failure is an ApiError with words a person can read.
export class ApiError extends Error {
  constructor(
    message: string,
    /** 0: nobody answered. */
    readonly status: number,
    readonly violations: { path: string; message: string }[] = [],
  ) {
    super(message);
  }
}

async function send(method: string, path: string, json?: unknown, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      signal,
      headers: json === undefined ? undefined : { "content-type": "application/json" },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The server does not answer.", 0);
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

async function failure(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => "");
  try {
    const said = JSON.parse(text) as { message?: string; validationErrors?: { path: string; message: string }[] };
    return new ApiError(said.message ?? text, answer.status, said.validationErrors);
  } catch {
    return new ApiError(text || `${answer.status} ${answer.statusText}`, answer.status);
  }
}

/** JSON, or undefined where the server answers with nothing (204). */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await send("GET", path, undefined, signal);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** What the answer says: JSON when it says so, else its text. */
export async function call<T = unknown>(method: "POST" | "PUT" | "DELETE", path: string, json?: unknown): Promise<T> {
  const answer = await send(method, path, json);
  const text = await answer.text();
  return (answer.headers.get("content-type")?.startsWith("application/json") && text ? JSON.parse(text) : text) as T;
}

/** A path of segments, each written so that nothing in it is taken for a separator. */
export function path(...segments: string[]): string {
  return segments.map((segment, index) => (index ? encodeURIComponent(segment) : segment)).join("/");
}

export function query(parameters: Record<string, string | number | boolean | string[] | undefined>): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === "") continue;
    for (const one of Array.isArray(value) ? value : [value]) found.append(name, String(one));
  }
  const text = found.toString();
  return text ? `?${text}` : "";
}
