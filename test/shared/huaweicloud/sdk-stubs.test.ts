import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { SUBSTITUTES, substitutedSdk, substitutes } from "../../../shared/huaweicloud/sdk-stubs/index.mjs";

const CORE = "@huaweicloud/huaweicloud-sdk-core";
const root = fileURLToPath(new URL("../../..", import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: what a bundle exports
type Exports = any;

/** Bundles as the build does, with the substitutes or with the packages themselves, and loads it. */
async function load(contents: string, substituted: boolean): Promise<Exports> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    write: false,
    logLevel: "silent",
    ...(substituted ? { alias: SUBSTITUTES, plugins: [substitutes] } : {}),
  });
  return evaluate(outputFiles[0]?.text ?? "");
}

function evaluate(text: string): Exports {
  const loaded: { exports: Exports } = { exports: {} };
  new Function("module", "exports", "require", text)(loaded, loaded.exports, createRequire(import.meta.url));
  return loaded.exports;
}

describe("the signature is the same", () => {
  const SIGNER = `export { AKSKSigner } from "${CORE}/auth/AKSKSigner"; export { default as moment } from "moment";`;
  let real: Exports;
  let ours: Exports;

  beforeAll(async () => {
    [real, ours] = await Promise.all([load(SIGNER, false), load(SIGNER, true)]);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T02:00:00Z") });
  });
  afterAll(() => void vi.useRealTimers());

  /** The headers that a signer gives a request, as text, so that their order counts too; or what it throws. */
  const signed = ({ AKSKSigner }: Exports, request: object, [ak, sk]: [string, string]): string => {
    try {
      // A copy for each: the SDK's signer sorts lists in place.
      return JSON.stringify(AKSKSigner.sign(structuredClone(request), { getAk: () => ak, getSk: () => sk }));
    } catch (thrown) {
      const { name, message, field } = thrown as Error & { field?: string };
      return [name, message, field].join(" ");
    }
  };

  const text = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }));
  const headerName = fc.oneof(
    text,
    fc.constantFrom(
      "content-type",
      "Content-Type",
      "X-Project-Id",
      "x-security-token",
      "HOST",
      "host",
      "X-Sdk-Content-Sha256",
    ),
    fc.stringMatching(/^[Xx]-[A-Za-z-]{0,4}$/),
  );
  const queryValue = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text), fc.constantFrom(null, undefined));
  const host = fc.constantFrom(
    "evs.eu-west-101.myhuaweicloud.com",
    "127.0.0.1:44289",
    "[::1]:8080",
    "EVS.Example.com:443",
  );
  const path = fc.array(fc.oneof(text, fc.uuid(), fc.constantFrom("v2", "a%2Fb", "urn:fss:x", "..")), { maxLength: 6 });
  const request = fc.record(
    {
      method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
      endpoint: fc.tuple(host, path).map(([at, segments]) => `https://${at}/${segments.join("/")}`),
      headers: fc.dictionary(headerName, text),
      queryParams: fc.dictionary(text, queryValue),
      data: fc.jsonValue(),
    },
    { requiredKeys: ["method", "endpoint", "headers"] },
  );
  const moment = fc.date({
    min: new Date("1970-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59Z"),
    noInvalidDate: true,
  });
  const zone = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia");
  const key = fc.tuple(text, text);

  test("for any header names, query, path, body, key, time and zone", () => {
    const before = process.env.TZ;
    fc.assert(
      fc
        .property(request, key, moment, zone, (anything, keys, at, tz) => {
          process.env.TZ = tz;
          vi.setSystemTime(at);
          expect(signed(ours, anything, keys)).toBe(signed(real, anything, keys));
        })
        .afterEach(() => {
          if (before === undefined) delete process.env.TZ;
          else process.env.TZ = before;
        }),
      { numRuns: 600 },
    );
  });

  test("for header names that differ in case alone, in whatever order", () => {
    const names = fc.shuffledSubarray([
      "a",
      "A",
      "b-",
      "B-",
      "b_",
      "ä",
      "Ä",
      "ß",
      "İ",
      "i̇",
      "x-sdk",
      "X-SDK",
      "10",
      "9",
      "",
    ]);
    fc.assert(
      fc.property(names, (shuffled) => {
        vi.setSystemTime("2026-11-21T02:00:00Z");
        const headers = Object.fromEntries(shuffled.map((name, index) => [name, `v${index}`]));
        const anything = { method: "GET", endpoint: "https://evs.example.com/v2", headers };
        expect(signed(ours, anything, ["AK", "SK"])).toBe(signed(real, anything, ["AK", "SK"]));
      }),
    );
  });

  test.each([
    "1970-01-01T00:00:00.000Z",
    "2024-02-29T23:59:59.999Z",
    "2026-03-29T01:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
  ])("at %s", (at) => {
    vi.setSystemTime(at);
    const anything = { method: "GET", endpoint: "https://evs.example.com/v2", headers: {} };
    const headers = JSON.parse(signed(ours, anything, ["AK", "SK"]));
    expect(headers["X-Sdk-Date"]).toBe(at.replace(/[-:]|\.\d+/g, ""));
    expect(signed(ours, anything, ["AK", "SK"])).toBe(signed(real, anything, ["AK", "SK"]));
  });

  test("a request that was dated by its caller is refused, not dated otherwise", () => {
    const anything = {
      method: "GET",
      endpoint: "https://evs.example.com",
      headers: { "X-Sdk-Date": "20261121T020000Z" },
    };
    expect(() => ours.AKSKSigner.sign(anything, {})).toThrow(
      "Expected moment() of the SDK's signer; moment(20261121T020000Z) was reached.",
    );
  });
});

describe("what is reached by mistake throws a clear error", () => {
  let sdk: Exports;
  beforeAll(async () => {
    // Imported as the SDK itself does it.
    sdk = await load(
      `module.exports = {
         ...require("${CORE}/HcClient"),
         ...require("${CORE}/auth/BasicCredentials"),
         ...require("${CORE}/auth/GlobalCredentials"),
         clientBuilder: require("${CORE}/ClientBuilder"),
         defaultHttpClient: require("${CORE}/http/DefaultHttpClient"),
         authcache: require("${CORE}/internal/services/authcache"),
         core: require("${CORE}"),
         axios: require("axios"),
         proxy: require("https-proxy-agent"),
         uuid: require("uuid"),
         lodash: require("lodash"),
         moment: require("moment"),
         log4js: require("log4js"),
         logger: require("${CORE}/logger"),
       };`,
      true,
    );
  });

  const LEFT_OUT =
    /^Expected every request to go through the transport in shared\/huaweicloud.*never with ClientBuilder/;
  const credential = () => new sdk.BasicCredentials().withAk("AK").withSk("SK");
  const request = () => {
    const headers = { "content-type": "application/json" };
    const parts = { method: "GET", endpoint: "https://evs.example.com", url: "/v2/x", queryParams: {}, headers };
    return { ...parts, getPathParams: () => ({}), getHeaders: () => headers };
  };

  test.each<[what: string, reach: () => unknown]>([
    ["ClientBuilder", () => new sdk.clientBuilder.ClientBuilder((client: unknown) => client)],
    ["the SDK's own HTTP client", () => new sdk.defaultHttpClient.DefaultHttpClient({})],
    ["its static state", () => sdk.defaultHttpClient.DefaultHttpClient.httpReqParam()],
    ["fail-over to another endpoint", () => new sdk.HcClient({}).overrideEndpoints(["https://evs.example.com"])],
    ["a project id of IAM, for a region", () => credential().processAuthParams({}, "eu-west-101")],
    [
      "the same through a client",
      () => new sdk.HcClient({}).withCredential(credential()).withRegion({ id: "r" }).sendRequest({ pathParams: {} }),
    ],
    ["a domain id of IAM", () => new sdk.GlobalCredentials().withAk("AK").withSk("SK").processAuthParams({}, "r")],
    ["the cache of project ids", () => sdk.authcache.AuthCache.instance().getCache("AK")],
    [
      "a token of an identity provider",
      () =>
        credential()
          .withIdpId("i")
          .withIdTokenFile(fileURLToPath(import.meta.url))
          .processAuthRequest({}, request()),
    ],
    [
      "a derived key",
      () =>
        credential()
          .withDerivedPredicate(() => true)
          .processAuthRequest({}, request()),
    ],
    ["axios", () => sdk.axios.default({ url: "https://evs.example.com" })],
    ["axios.create", () => sdk.axios.create({}).interceptors.request.use()],
    ["a function of axios", () => sdk.axios.isAxiosError(new Error())],
    ["a proxy", () => new sdk.proxy.HttpsProxyAgent("http://127.0.0.1:1")],
    ["uuid", () => sdk.uuid.v4()],
    ["log4js", () => sdk.log4js.getLogger()],
    ["a class made of one of them", () => new (class extends sdk.proxy.HttpsProxyAgent {})()],
  ])("%s", async (_what, reach) => {
    await expect((async () => reach())()).rejects.toThrow(LEFT_OUT);
  });

  test.each<[what: string, reach: () => unknown, message: string]>([
    [
      "lodash",
      () => sdk.lodash.cloneDeep({}),
      "Expected the SDK to use of lodash only sortBy; lodash.cloneDeep was reached.",
    ],
    [
      "moment's zones",
      () => sdk.moment.utc(),
      "Expected the SDK to use of moment only a call; moment.utc was reached.",
    ],
    [
      "moment's sums",
      () => sdk.moment().add(1, "day"),
      "Expected the SDK to use of moment() only utcOffset; moment().add was reached.",
    ],
    [
      "another offset",
      () => sdk.moment().utcOffset(60),
      "Expected utcOffset(0) of the SDK's signer; utcOffset(60) was reached.",
    ],
    [
      "another format",
      () => sdk.moment().utcOffset(0).format("L"),
      "Expected format(YYYYMMDDTHHmmss) of the SDK's signer; format(L) was reached.",
    ],
    [
      "the logger's appenders",
      () => sdk.logger.configure(),
      "Expected the SDK to use of its logger only getLogger and LogLevel; its logger.configure was reached.",
    ],
  ])("%s", (_what, reach, message) => {
    expect(reach).toThrow(message);
  });

  test("importing them is no mistake, and the index of the SDK loads", () => {
    expect(typeof sdk.core.BasicCredentials).toBe("function");
  });

  test("in vitest as well, where no alias reaches what the SDK itself requires", async () => {
    const path = createRequire(import.meta.url).resolve(`${CORE}/HcClient`);
    const { HcClient } = evaluate((await substitutedSdk.load(path)) ?? "");
    expect(() => new HcClient({}).overrideEndpoints([])).toThrow(LEFT_OUT);
    expect(await substitutedSdk.load(fileURLToPath(import.meta.url))).toBeUndefined();
  });
});
