/** No credential leaves a function, whatever fails and however the cloud repeats it. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { CREATES, onTheSitesDay, stage } from "../support/creates.ts";
import { piecesLeft } from "../support/pieces.ts";

onTheSitesDay();

/** As the platform issues them: an access key, a secret key, a security token; or a token. All with an odd sign each. */
const KEYS = {
  ak: "HST3WPLTXLGBZ6GQTTQA",
  sk: "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K",
  securityToken: "gQpjbi1ub3J0aC00inbS/s0fyp5RFb+A7Q==\"quoted\\and=odd'&<tail>",
};
const TOKEN = { token: "MIIYkgYJKoZIhvcNAQcCoIIYgzCC+GH8CAQExDTALBglghkgBZQ/MEAgEwghas==\"and'more\\<&>" };

/** What a proxy, a load balancer or a service may make of a text that it repeats. */
const ESCAPES: [name: string, spell: (secret: string) => string][] = [
  ["plain", (secret) => secret],
  ["JSON", (secret) => JSON.stringify(secret).slice(1, -1)],
  ["JSON in JSON", (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ["JSON with slashes escaped", (secret) => JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/")],
  [
    "JSON with every sign escaped",
    (secret) => secret.replace(/[^A-Za-z0-9]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`),
  ],
  [
    "JSON with every sign escaped in capitals",
    (secret) => secret.replace(/[^A-Za-z0-9]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  ["URL", (secret) => encodeURIComponent(secret)],
  ["URL in small letters", (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
  ["URL in URL", (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ["URI", (secret) => encodeURI(secret)],
  ["HTML", (secret) => secret.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)],
  ["its second character on", (secret) => secret.slice(1)],
  ["16 characters of it", (secret) => secret.slice(2, 18)],
  ["lines", (secret) => secret.replace(/.{10}/g, "$&\r\n")],
  ["lines of a MIME header", (secret) => secret.replace(/.{7}/g, "$&=\r\n\t")],
  ["base64", (secret) => Buffer.from(`token ${secret}`).toString("base64")],
  ["base64url in lines", (secret) => Buffer.from(`?${secret}`).toString("base64url").replace(/.{20}/g, "$&\n")],
  ["hex", (secret) => Buffer.from(secret).toString("hex")],
];

/** Faults that repeat a text, in each envelope and outside of any. */
const TELLING: ((text: string, status: number) => Fault)[] = [
  (message, status) => ({ type: "status", status, body: { error: { code: "EVS.0001", message } }, after: true }),
  (message, status) => ({ type: "status", status, body: { error: { code: message, message } } }),
  (message, status) => ({ type: "status", status, body: { badRequest: { code: status, message } } }),
  (error_msg, status) => ({
    type: "status",
    status,
    body: { error_msg, error_code: "APIGW.0301", request_id: error_msg },
  }),
  (said, status) => ({
    type: "status",
    status,
    body: { externalMessage: said, errCode: "DWS.1", error_code: "DWS.1", error_msg: said },
  }),
  (text, status) => ({ type: "status", status, body: `<html>${text}</html>` }),
  (body) => ({ type: "answer", status: 202, body }),
  (text) => ({ type: "answer", status: 200, body: JSON.stringify({ text }) }),
  (text) => ({ type: "answer", status: 200, body: JSON.stringify({ snapshots: [{ name: text }] }) }),
  (text) => ({ type: "answer", status: 200, body: `${"x".repeat(61)}${text}` }),
  (text) => ({ type: "answer", status: 200, body: JSON.stringify({ pad: "x".repeat(140), text }) }),
  (text) => ({ type: "answer", status: 403, headers: { "x-request-id": encodeURI(text) }, body: "{}" }),
  (text) => ({ type: "redirect", location: `https://example.com/?token=${encodeURIComponent(text)}` }),
];

const SILENT: Fault[] = [
  { type: "reset", after: true },
  { type: "hang", after: true },
  { type: "cut", after: true },
  { type: "notJson", after: true },
  { type: "emptyBody", after: true },
  { type: "throttle" },
  { type: "expiredToken" },
  { type: "clockSkew", ms: 3_600_000 },
];

/** What is left of a secret when it is cut: from its beginning, this much of it is too much. */
const TOO_MUCH = 12;

test("whatever fails: no credential is in what leaves the function", async () => {
  // The SDK prints whole requests where it is let.
  const printed = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
  const fault = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(...TELLING),
        fc.constantFrom(...ESCAPES.map(([, spell]) => spell)),
        fc.constantFrom(400, 401, 403, 404, 409, 413, 429, 500, 503),
      )
      .map(
        ([tell, spell, status]) =>
          (secret: string) =>
            tell(spell(secret), status),
      ),
    fc.constantFrom(...SILENT).map((silent) => () => silent),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CREATES),
      fc.constantFrom("ak", "sk", "securityToken", "token"),
      fault,
      fc.constantFrom(/create/, /list/, /reportLogs/, /./),
      fc.boolean(),
      async (create, which, faultOf, operation, direct) => {
        const secrets: Record<string, string> = which === "token" ? TOKEN : KEYS;
        const site = await stage(create, { credentials: { ...KEYS, ...TOKEN } });
        site.cloud.fault({ operation }, faultOf(String(secrets[which])));
        const how = { credentials: secrets };
        const invoked = direct ? await site.direct(undefined, how) : await site.post({}, {}, how);
        const seen = [
          invoked.output,
          // What a platform may print of an error besides its message.
          JSON.stringify({ ...invoked.error, cause: invoked.error?.cause }),
          JSON.stringify(site.cloud.logs),
        ].join("\n");
        for (const secret of Object.values(secrets)) {
          for (const [, spell] of ESCAPES) expect(seen).not.toContain(spell(secret));
          expect(seen).not.toContain(secret.slice(0, TOO_MUCH));
          expect(piecesLeft(seen, secret)).toEqual([]);
        }
        // Records are still records.
        for (const record of invoked.records) expect(record.request_id).toMatch(/^request-/);
        await site.cloud.close();
      },
    ),
    { numRuns: 100 },
  );
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
});
