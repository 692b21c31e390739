/** Calls through the gateway, and what an answer or a failure says of itself. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

export async function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The message of our own errors and of the gateway's; else the text itself. */
export function message(text: string): string {
  const answer = parse(text) as { error?: { code?: string; message?: string }; error_msg?: string } | undefined;
  if (answer?.error) return `${answer.error.code ?? ""} ${answer.error.message ?? ""}`.trim();
  return answer?.error_msg ?? text;
}

/** Undefined: no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
