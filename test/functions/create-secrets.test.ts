/** Tests that no credential leaves a function, whatever fails and however the cloud repeats the credential. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { CREATES, createFixture } from "../support/creates.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { piecesLeft } from "../support/pieces.ts";

useFixedDate();

/** Credentials as the platform issues them. Most contain characters that some encoding escapes. */
const KEYS = {
  ak: "HST3WPLTXLGBZ6GQTTQA",
  sk: "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K",
  securityToken: "gQpjbi1ub3J0aC00inbS/s0fyp5RFb+A7Q==\"quoted\\and=odd'&<tail>",
};
const TOKEN = { token: "MIIYkgYJKoZIhvcNAQcCoIIYgzCC+GH8CAQExDTALBglghkgBZQ/MEAgEwghas==\"and'more\\<&>" };

/** Encodings in which a proxy, a load balancer or a service may repeat a string. */
const ESCAPES: [name: string, spell: (secret: string) => string][] = [
  ["plain", (secret) => secret],
  ["JSON", (secret) => JSON.stringify(secret).slice(1, -1)],
  ["JSON in a JSON string", (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3)],
  ["JSON with slashes escaped", (secret) => JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/")],
  [
    "JSON with every special character escaped",
    (secret) =>
      secret.replace(/[^A-Za-z0-9]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`),
  ],
  [
    "JSON with every special character escaped in capitals",
    (secret) =>
      secret.replace(/[^A-Za-z0-9]/g, (character) => `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`),
  ],
  ["URL", (secret) => encodeURIComponent(secret)],
  ["URL in small letters", (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
  ["URL in URL", (secret) => encodeURIComponent(encodeURIComponent(secret))],
  ["URI", (secret) => encodeURI(secret)],
  ["HTML", (secret) => secret.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)],
  ["all but the first character", (secret) => secret.slice(1)],
  ["16 characters of it", (secret) => secret.slice(2, 18)],
  ["wrapped lines", (secret) => secret.replace(/.{10}/g, "$&\r\n")],
  ["lines of a MIME header", (secret) => secret.replace(/.{7}/g, "$&=\r\n\t")],
  ["base64", (secret) => Buffer.from(`token ${secret}`).toString("base64")],
  ["base64url in lines", (secret) => Buffer.from(`?${secret}`).toString("base64url").replace(/.{20}/g, "$&\n")],
  ["hex", (secret) => Buffer.from(secret).toString("hex")],
];

/** Faults whose response repeats a string, in each error envelope and outside of any. */
const REVEALING: ((text: string, status: number) => Fault)[] = [
  (message, status) => ({ type: "status", status, body: { error: { code: "EVS.0001", message } }, after: true }),
  (message, status) => ({ type: "status", status, body: { error: { code: message, message } } }),
  (message, status) => ({ type: "status", status, body: { badRequest: { code: status, message } } }),
  (error_msg, status) => ({
    type: "status",
    status,
    body: { error_msg, error_code: "APIGW.0301", request_id: error_msg },
  }),
  (message, status) => ({
    type: "status",
    status,
    body: { externalMessage: message, errCode: "DWS.1", error_code: "DWS.1", error_msg: message },
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

/** The number of characters from the start of a secret that must not appear, for example after a string is truncated. */
const MAX_PREFIX = 12;

test("the create functions reveal no credential in responses, errors, records or logs, whatever fails", async () => {
  // The SDK can print whole requests to the console.
  const printed = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
  const fault = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(...REVEALING),
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
        const fixture = await createFixture(create, { credentials: { ...KEYS, ...TOKEN } });
        fixture.cloud.fault({ operation }, faultOf(String(secrets[which])));
        const how = { credentials: secrets };
        const invoked = direct ? await fixture.direct(undefined, how) : await fixture.post({}, {}, how);
        const seen = [
          invoked.output,
          // The platform may print the fields of an error in addition to its message.
          JSON.stringify({ ...invoked.error, cause: invoked.error?.cause }),
          JSON.stringify(fixture.cloud.logs),
        ].join("\n");
        for (const secret of Object.values(secrets)) {
          for (const [, spell] of ESCAPES) expect(seen).not.toContain(spell(secret));
          expect(seen).not.toContain(secret.slice(0, MAX_PREFIX));
          expect(piecesLeft(seen, secret)).toEqual([]);
        }
        // Redaction keeps the records intact.
        for (const record of invoked.records) expect(record.request_id).toMatch(/^request-/);
        await fixture.cloud.close();
      },
    ),
    { numRuns: 100 },
  );
  expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
});
