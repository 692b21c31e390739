/** An HTTP response from the API gateway. */
export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

export async function postJson(url: string, body: object, headers: Record<string, string> = {}): Promise<Reply> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * Returns the error message in an error response of a function or of the API gateway. Returns the text of any other response
 * unchanged.
 */
export function errorMessageIn(text: string): string {
  const response = parseJson(text) as { error?: { code?: string; message?: string }; error_msg?: string } | undefined;
  if (response?.error) return `${response.error.code ?? ""} ${response.error.message ?? ""}`.trim();
  return response?.error_msg ?? text;
}

/** Parses JSON. Returns undefined for invalid JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
