import { describe, expect, test } from "vitest";
import { reportCoverage } from "../../functions/report-coverage/handler.ts";
import { createFixture, getRequest, statesIn } from "../support/coverage-fixture.ts";
import { apig, errorOf, type Json } from "../support/environment.ts";

/** Queries with one mistake each, in the format of a request, and the message about the mistake. */
const MISTAKES: [Record<string, string>, string][] = [
  [{ max_age_hours: "abc" }, 'max_age_hours: expected an integer, got "abc".'],
  [{ max_age_hours: "" }, 'max_age_hours: expected an integer, got "".'],
  [{ max_age_hours: "0" }, "max_age_hours: expected at least 1, got 0."],
  [{ max_age_hours: "-5" }, 'max_age_hours: expected an integer, got "-5".'],
  [{ max_age_hours: "1.5" }, 'max_age_hours: expected an integer, got "1.5".'],
  [{ max_age_hours: "87601" }, "max_age_hours: expected at most 87600, got 87601."],
  [{ kinds: "volume,disk" }, 'kinds[1]: expected "volume" or "cluster", got "disk".'],
  [{ kinds: "" }, 'kinds[0]: expected "volume" or "cluster", got "".'],
  [{ tags: "backup" }, 'tags[0]: expected key=value, or key=* for any value, got "backup".'],
  [{ tags: "=daily" }, 'tags[0]: expected key=value, or key=* for any value, got "=daily".'],
  [{ tags: "a=1,a=2" }, 'tags: expected each key once, got "a" several times.'],
  [{ tags: "a=1, =daily" }, 'tags[1]: expected key=value, or key=* for any value, got "=daily".'],
  [{ exclude_tags: "a=1," }, 'exclude_tags[1]: expected key=value, or key=* for any value, got "".'],
  [
    { states: "good" },
    'states[0]: expected "excluded" or "protected" or "unknown" or "failing" or "stale" or "unprotected", got "good".',
  ],
  [{ format: "xml" }, 'format: expected "html" or "json" or "csv", got "xml".'],
  [{ page: "0" }, "page: expected at least 1, got 0."],
  [{ page: "two" }, 'page: expected an integer, got "two".'],
  [
    { max_age: "26" },
    "max_age: unknown field. Allowed: max_age_hours, kinds, tags, exclude_tags, states, format, page.",
  ],
];

describe("the query of report-coverage", () => {
  test.each(MISTAKES)(
    "report-coverage rejects %j with the same message in the query of an HTTP request and in the user_event of a timer",
    async (query, message) => {
      const { get, timer, requests } = await createFixture();
      const http = await get(query);
      expect([http.result.statusCode, errorOf(http)]).toEqual([
        400,
        expect.objectContaining({ reason: "InvalidRequest", message }),
      ]);
      const event = await timer(query);
      expect(event.error?.message).toBe(message);
      for (const { records } of [http, event]) {
        expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
          "coverage rejected",
          "run failed",
        ]);
      }
      expect(requests()).toEqual([]);
    },
  );

  test("report-coverage names every mistake of a request in one error message", async () => {
    const { get } = await createFixture();
    const { message } = errorOf(
      await get({ page: "0", kinds: ["volume", "cluster"], format: "xml", states: null, x: "1" }),
    );
    for (const start of ["kinds: ", "page: ", "format: ", "states[0]: ", "x: "]) expect(message).toContain(start);
  });

  test("report-coverage names contradictory tags and the other mistakes of a request in one error message", async () => {
    const { get, timer } = await createFixture();
    const expected = 'page: expected at least 1, got 0. tags: expected each key once, got "a" several times.';
    expect(errorOf(await get({ page: "0", tags: "a=1,a=2" })).message).toBe(expected);
    expect((await timer({ page: 0, tags: ["a=1", "a=2"] })).error?.message).toBe(expected);
    const { message } = errorOf(await get({ tags: "a=1,b,a=2" }));
    expect(message).toContain('tags[1]: expected key=value, or key=* for any value, got "b".');
    expect(message).toContain('got "a" several times');
  });

  test("report-coverage accepts a query that contains the same tag twice", async () => {
    const { addDisk, report } = await createFixture();
    addDisk("disk", [], { tags: { a: "b" } });
    expect(statesIn(await report({ tags: "a=b,a=b" }))).toEqual(["disk: unprotected"]);
  });

  test.each([
    [["volume", "cluster"], "kinds: expected one value, got an array of 2 items."],
    [["volume"], "kinds: expected one value, got an array of 1 item."],
    [7, "kinds: expected one value, got the number 7."],
    [{ a: "b" }, "kinds: expected one value, got an object."],
  ])('report-coverage rejects the value %j of the query parameter "kinds"', async (value, message) => {
    const { get } = await createFixture();
    expect(errorOf(await get({ kinds: value })).message).toBe(message);
  });

  test.each([
    [{ tags: { backup: 7 } }, "tags.backup: expected a string, got the number 7."],
    [{ tags: { "": "daily" } }, 'tags.: expected a non-empty key without "=", got "".'],
    [{ tags: { " ": "daily" } }, 'tags. : expected a non-empty key without "=", got " ".'],
    [{ tags: [" =daily"] }, 'tags[0]: expected key=value, or key=* for any value, got "=daily".'],
    [{ tags: ["a=1", " a=2"] }, 'tags: expected each key once, got "a" several times.'],
    [{ exclude_tags: { "a=b": "c" } }, 'exclude_tags.a=b: expected a non-empty key without "=", got "a=b".'],
    [{ tags: {} }, "tags: expected at least 1 field, got 0."],
    [{ tags: [] }, "tags: expected at least 1 item, got 0."],
    [{ kinds: [] }, "kinds: expected at least 1 item, got 0."],
    [{ kinds: { volume: true } }, "kinds: expected an array, got an object."],
    [{ max_age_hours: 1.5 }, "max_age_hours: expected an integer, got the number 1.5."],
    [{ states: [7] }, /^states\[0\]: expected .*, got the number 7\.$/],
  ])("report-coverage rejects the user_event %j", async (body, message) => {
    const { timer } = await createFixture();
    expect((await timer(body)).error?.message).toMatch(message);
  });

  test.each([
    ["no parameters", undefined],
    ["an empty object", {}],
    ["null", null],
  ])("report-coverage uses the defaults if the query is %s", async (_what, query) => {
    const { addDisk, get } = await createFixture();
    addDisk("disk", [{ hours: 26 }]);
    const { result } = await get(query);
    expect(JSON.parse(result.body)).toMatchObject({ max_age_hours: 26, page: 1, pages: 1, counts: { protected: 1 } });
  });

  test("report-coverage rejects query parameters that are not an object", async () => {
    const { get } = await createFixture();
    expect(errorOf(await get(["tags"])).message).toContain("Expected an object with query parameters, got an array");
  });

  test("report-coverage decodes query parameters that the API gateway did not decode, and ignores spaces around commas", async () => {
    const { addDisk, report } = await createFixture();
    addDisk("disk", [], { tags: { "cost center": "50% off", owner: "a=b" } });
    addDisk("other");
    for (const tags of ["cost%20center=50%25%20off%2Cowner=a=b", "cost center=50% off , owner=a=b"]) {
      expect(statesIn(await report({ tags }))).toEqual(["disk: unprotected"]);
    }
  });

  test("report-coverage does not decode a query again if a space in the query shows that the API gateway decoded it", async () => {
    const { addDisk, report } = await createFixture();
    addDisk("percent", [], { tags: { a: "50%" } });
    addDisk("escaped", [], { tags: { a: "50%25", "cost center": "ops" } });
    // A space shows that the gateway decoded the query.
    expect(statesIn(await report({ tags: "a=50%25,cost center=ops" }))).toEqual(["escaped: unprotected"]);
    expect(statesIn(await report({ tags: "a=50%25", exclude_tags: "cost center=it" }))).toEqual([
      "escaped: unprotected",
    ]);
    // Nothing shows whether the gateway decoded these queries.
    expect(statesIn(await report({ tags: "a=50%25" }))).toEqual(["percent: unprotected"]);
    expect(statesIn(await report({ tags: "a%3D50%2525,cost%20center=ops" }))).toEqual(["escaped: unprotected"]);
  });

  test("report-coverage returns a report if the query contains half of a surrogate pair", async () => {
    const { addDisk, get } = await createFixture();
    addDisk("disk");
    for (const format of ["html", "csv", "json"]) {
      const { result } = await get({ format, tags: "a=\ud800" });
      expect([format, result.statusCode]).toEqual([format, 200]);
    }
  });

  test("in a user_event, report-coverage accepts numbers, objects, and arrays with spaces around their items", async () => {
    const { addDisk, timer } = await createFixture();
    addDisk("selected", [], { tags: { backup: "daily" } });
    addDisk("cold", [], { tags: { backup: "daily", tier: "cold" } });
    addDisk("other");
    const { records, error } = await timer({
      max_age_hours: 48,
      kinds: ["volume"],
      tags: { backup: "*" },
      exclude_tags: [" tier=cold "],
      format: "html",
      page: 3,
    });
    expect(error).toBeUndefined();
    expect(records.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["selected", "unprotected"],
      [undefined, "done"],
    ]);
    expect(records.at(-1).outcomes).toMatchObject({ unprotected: 1, excluded: 1, protected: 0 });
  });
});

describe("the methods and triggers of report-coverage", () => {
  test.each(["POST", "PUT", "DELETE", "HEAD", "get", undefined])(
    "report-coverage responds to the method %s with 405 and the header allow: GET",
    async (httpMethod) => {
      const { invoke, requests } = await createFixture();
      const { result } = await invoke(reportCoverage, getRequest({}, {}, { httpMethod }));
      expect([result.statusCode, result.headers.allow]).toEqual([405, "GET"]);
      expect(requests()).toEqual([]);
    },
  );

  test.each<[string, unknown]>([
    ["an empty object", {}],
    ["a string", "report"],
    ["null", null],
    ["a CTS event", { cts: { trace_name: "deleteVolume" } }],
  ])("report-coverage rejects %s as an event", async (_what, event) => {
    const { invoke } = await createFixture();
    const { error, records } = await invoke(reportCoverage, event);
    expect(error?.message).toMatch(/^Expected an HTTP request from the API gateway or a TIMER event, got /);
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed" });
  });

  test("report-coverage ignores the body of a GET request", async () => {
    const { invoke } = await createFixture();
    const event: Json = { ...apig({ page: 7 }), httpMethod: "GET", queryStringParameters: {} };
    expect((await invoke(reportCoverage, event)).result.statusCode).toBe(200);
  });
});
