/** Tests that no credential leaves a create function, even if a response of EVS, DWS or LTS contains the credential. */
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { CREATES, createFixture } from "../support/creates.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { piecesLeft } from "../support/pieces.ts";

useFixedDate();

/** Credentials in the format of FunctionGraph. Most credentials contain characters that are escaped in JSON or in a URL. */
const ACCESS_KEY = {
  ak: "HST3WPLTXLGBZ6GQTTQA",
  sk: "9oBMaN4P/hTgWuX+0kLQmAYcXwvS3eRz7tIuDj5K",
  securityToken: "gQpjbi1ub3J0aC00inbS/s0fyp5RFb+A7Q==\"quoted\\and=odd'&<tail>",
};
const TOKEN = { token: "MIIYkgYJKoZIhvcNAQcCoIIYgzCC+GH8CAQExDTALBglghkgBZQ/MEAgEwghas==\"and'more\\<&>" };

const SPECIAL = /[^A-Za-z0-9]/g;
const hexOf = (character: string) => character.charCodeAt(0).toString(16);

/** Ways in which a response may encode a secret. */
const ENCODINGS: ((secret: string) => string)[] = [
  (secret) => secret,
  // The secret as a JSON string without quotes, with different escapes.
  (secret) => JSON.stringify(secret).slice(1, -1),
  (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  (secret) => JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
  (secret) => secret.replace(SPECIAL, (character) => `\\u${hexOf(character).padStart(4, "0")}`),
  (secret) => secret.replace(SPECIAL, (character) => `\\u00${hexOf(character).toUpperCase()}`),
  encodeURIComponent,
  (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  (secret) => encodeURIComponent(encodeURIComponent(secret)),
  encodeURI,
  (secret) => secret.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  // Only a part of the secret.
  (secret) => secret.slice(1),
  (secret) => secret.slice(2, 18),
  // The secret with line breaks, as in a log file or in a MIME header.
  (secret) => secret.replace(/.{10}/g, "$&\r\n"),
  (secret) => secret.replace(/.{7}/g, "$&=\r\n\t"),
  (secret) => Buffer.from(`token ${secret}`).toString("base64"),
  (secret) => Buffer.from(`?${secret}`).toString("base64url").replace(/.{20}/g, "$&\n"),
  (secret) => Buffer.from(secret).toString("hex"),
];

/** Each function returns a fault whose response contains the text: in an error message, in another field or in a header. */
const REVEALING_FAULTS: ((text: string, status: number) => Fault)[] = [
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

/** Faults whose response does not contain a credential. */
const OTHER_FAULTS: Fault[] = [
  { type: "reset", after: true },
  { type: "hang", after: true },
  { type: "cut", after: true },
  { type: "notJson", after: true },
  { type: "emptyBody", after: true },
  { type: "throttle" },
  { type: "expiredToken" },
  { type: "clockSkew", ms: 3_600_000 },
];

/** Even a truncated message must not contain the first characters of a secret. This is the number of these characters. */
const PREFIX_LENGTH = 12;

test("the create functions reveal no credential in responses, errors, records or deliveries to LTS for 100 random faults and encodings", async () => {
  // The SDK can print requests and their credentials to the console, so this test checks that the console output is empty.
  const consoleSpies = (["log", "info", "warn", "error", "debug"] as const).map((name) => vi.spyOn(console, name));
  const faultFor = fc.oneof(
    fc
      .tuple(
        fc.constantFrom(...REVEALING_FAULTS),
        fc.constantFrom(...ENCODINGS),
        fc.constantFrom(400, 401, 403, 404, 409, 413, 429, 500, 503),
      )
      .map(
        ([revealingFault, encode, status]) =>
          (secret: string) =>
            revealingFault(encode(secret), status),
      ),
    fc.constantFrom(...OTHER_FAULTS).map((otherFault) => () => otherFault),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CREATES),
      fc.constantFrom("ak", "sk", "securityToken", "token"),
      faultFor,
      fc.constantFrom(/create/, /list/, /reportLogs/, /./),
      fc.boolean(),
      async (create, revealed, faultFor, operation, isDirect) => {
        const secrets: Record<string, string> = revealed === "token" ? TOKEN : ACCESS_KEY;
        const fixture = await createFixture(create, { credentials: { ...ACCESS_KEY, ...TOKEN } });
        fixture.cloud.fault({ operation }, faultFor(String(secrets[revealed])));
        const invocation = { credentials: secrets };
        const invoked = await (isDirect ? fixture.direct(undefined, invocation) : fixture.post({}, {}, invocation));
        const output = [
          invoked.output,
          // FunctionGraph may print the fields of an error in addition to the message.
          JSON.stringify({ ...invoked.error, cause: invoked.error?.cause }),
          JSON.stringify(fixture.cloud.logs),
        ].join("\n");
        for (const secret of Object.values(secrets)) {
          for (const encode of ENCODINGS) expect(output).not.toContain(encode(secret));
          expect(output).not.toContain(secret.slice(0, PREFIX_LENGTH));
          expect(piecesLeft(output, secret)).toEqual([]);
        }
        // The function must not change the request id in a record when it removes a secret.
        for (const record of invoked.records) expect(record.request_id).toMatch(/^request-/);
        await fixture.cloud.close();
      },
    ),
    { numRuns: 100 },
  );
  expect(consoleSpies.flatMap((spy) => spy.mock.calls)).toEqual([]);
});
