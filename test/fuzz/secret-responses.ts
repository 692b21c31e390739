/** Creates responses that contain the caller's credentials, as a careless service or proxy may send them. */
import type { Json } from "./mutate.ts";
import { envelope } from "./odd-http.ts";
import type { Random } from "./random.ts";
import { editing, type FuzzedResponse, type Material, sending } from "./response.ts";
import { spellSecret } from "./secrets.ts";

const STATUSES = [200, 202, 400, 401, 403, 404, 409, 413, 429, 500, 503, 504];

export function secretFault(material: Material, after: boolean): FuzzedResponse {
  const { random, secrets } = material;
  const { text, how } = spellSecret(secrets, random);
  const status = random.pick(STATUSES);
  switch (
    random.weighted({ message: 30, code: 10, split: 8, fields: 30, header: 6, text: 8, html: 5, everywhere: 3 })
  ) {
    case "message":
      return sending(
        `${how} in a message`,
        { status, body: JSON.stringify(envelope(random, "EVS.5400", text)) },
        after,
      );
    case "code":
      return sending(
        `${how} as a code`,
        { status, body: JSON.stringify(envelope(random, text, "Bad request.")) },
        after,
      );
    case "split": {
      const at = random.int(0, text.length);
      const body = JSON.stringify(envelope(random, text.slice(0, at), text.slice(at)));
      return sending(`${how} in code and message`, { status, body }, after);
    }
    case "fields":
      return editing(`${how} in fields of the cloud's own response`, (body) => withText(body, text, random));
    case "header": {
      const value = text.replace(/[^\x20-\x7e]/g, " ");
      return sending(
        `${how} in headers`,
        { status, headers: { "x-request-id": value, server: value }, body: "{}" },
        after,
      );
    }
    case "text":
      return sending(`${how} as text`, { status, headers: { "content-type": "text/plain" }, body: text }, after);
    case "html":
      return sending(
        `${how} in a page`,
        { status, headers: { "content-type": "text/html" }, body: `<p>${text}</p>` },
        after,
      );
    case "everywhere": {
      const body = {
        error: { code: text, message: text },
        [text]: text,
        snapshot: { id: text, status: text, name: text },
      };
      return sending(`${how} everywhere`, { status, body: JSON.stringify(body) }, after);
    }
  }
}

/** Replaces one to four string fields with `text`, or returns new fields if the body has no strings. */
function withText(body: Json | undefined, text: string, random: Random): Json {
  const copy = structuredClone(body ?? {});
  const places: (() => void)[] = [];
  const visit = (value: Json, depth: number): void => {
    if (typeof value !== "object" || value === null || depth > 6) return;
    const holder = value as { [name: string]: Json };
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner !== "string") visit(inner as Json, depth + 1);
      else {
        places.push(() => {
          holder[name] = text;
        });
      }
    }
  };
  visit(copy, 0);
  if (places.length === 0) return { message: text, name: text };
  for (let count = random.pick([1, 1, 2, 4]); count > 0; count -= 1) random.pick(places)();
  return copy;
}
