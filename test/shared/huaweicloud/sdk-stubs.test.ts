import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { STUBBED_PACKAGES, sdkStubs, stubbedSdk } from "../../../shared/huaweicloud/sdk-stubs/index.mjs";

const CORE = "@huaweicloud/huaweicloud-sdk-core";
const root = fileURLToPath(new URL("../../..", import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: the exports of a bundle can have any type
type Exports = any;

/** Bundles a module with the stubs that the build uses or with the original packages. Returns the exports of the bundle. */
async function load(contents: string, isStubbed: boolean): Promise<Exports> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    write: false,
    logLevel: "silent",
    ...(isStubbed ? { alias: STUBBED_PACKAGES, plugins: [sdkStubs] } : {}),
  });
  return evaluate(outputFiles[0]?.text ?? "");
}

function evaluate(text: string): Exports {
  const loaded: { exports: Exports } = { exports: {} };
  new Function("module", "exports", "require", text)(loaded, loaded.exports, createRequire(import.meta.url));
  return loaded.exports;
}

describe("the signer with stubs", () => {
  const SIGNER = `export { AKSKSigner } from "${CORE}/auth/AKSKSigner"; export { default as moment } from "moment";`;
  let original: Exports;
  let stubbed: Exports;

  beforeAll(async () => {
    [original, stubbed] = await Promise.all([load(SIGNER, false), load(SIGNER, true)]);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-11-21T02:00:00Z") });
  });
  afterAll(() => void vi.useRealTimers());

  /** Signs a request and returns its headers, or the signer's error. Returns JSON because the order of the headers matters. */
  const signed = ({ AKSKSigner }: Exports, request: object, [ak, sk]: [string, string]): string => {
    try {
      // The signer sorts arrays in place, so the test passes a copy of the request.
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
      ..."content-type Content-Type X-Project-Id x-security-token HOST host X-Sdk-Content-Sha256".split(" "),
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

  test("the SDK's signer returns the same signature with stubs as with the original packages for random requests, access keys, times and time zones", () => {
    const originalZone = process.env.TZ;
    fc.assert(
      fc
        .property(request, key, moment, zone, (anyRequest, keys, time, timeZone) => {
          process.env.TZ = timeZone;
          vi.setSystemTime(time);
          expect(signed(stubbed, anyRequest, keys)).toBe(signed(original, anyRequest, keys));
        })
        .afterEach(() => {
          if (originalZone === undefined) delete process.env.TZ;
          else process.env.TZ = originalZone;
        }),
      { numRuns: 600 },
    );
  });

  test("the SDK's signer returns the same signature with stubs as with the original packages for header names in any order, even if names differ only in case", () => {
    const names = fc.shuffledSubarray([..."a A b- B- b_ ä Ä ß İ i̇ x-sdk X-SDK 10 9".split(" "), ""]);
    fc.assert(
      fc.property(names, (shuffled) => {
        vi.setSystemTime("2026-11-21T02:00:00Z");
        const headers = Object.fromEntries(shuffled.map((name, index) => [name, `v${index}`]));
        const anything = { method: "GET", endpoint: "https://evs.example.com/v2", headers };
        expect(signed(stubbed, anything, ["AK", "SK"])).toBe(signed(original, anything, ["AK", "SK"]));
      }),
    );
  });

  test.each([
    "1970-01-01T00:00:00.000Z",
    "2024-02-29T23:59:59.999Z",
    "2026-03-29T01:00:00.000Z",
    "9999-12-31T23:59:59.999Z",
  ])(
    "the SDK's signer returns the same signature with stubs as with the original packages, and the right date header, at %s",
    (at) => {
      vi.setSystemTime(at);
      const anything = { method: "GET", endpoint: "https://evs.example.com/v2", headers: {} };
      const headers = JSON.parse(signed(stubbed, anything, ["AK", "SK"]));
      expect(headers["X-Sdk-Date"]).toBe(at.replace(/[-:]|\.\d+/g, ""));
      expect(signed(stubbed, anything, ["AK", "SK"])).toBe(signed(original, anything, ["AK", "SK"]));
    },
  );

  test("the SDK's signer with stubs rejects a request that already has an X-Sdk-Date header", () => {
    const anything = {
      method: "GET",
      endpoint: "https://evs.example.com",
      headers: { "X-Sdk-Date": "20261121T020000Z" },
    };
    expect(() => stubbed.AKSKSigner.sign(anything, {})).toThrow(
      "Expected the SDK's signer to call moment(), got moment(20261121T020000Z).",
    );
  });
});

describe("calls of modules that the bundles leave out", () => {
  let sdk: Exports;
  beforeAll(async () => {
    // The SDK loads these modules with `require`, so the test does, too.
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

  const LEFT_OUT = /^The code called a part of the SDK that is missing in this bundle\. .*never with ClientBuilder/;
  const credential = () => new sdk.BasicCredentials().withAk("AK").withSk("SK");
  const request = () => {
    const headers = { "content-type": "application/json" };
    const parts = { method: "GET", endpoint: "https://evs.example.com", url: "/v2/x", queryParams: {}, headers };
    return { ...parts, getPathParams: () => ({}), getHeaders: () => headers };
  };

  test.each<[what: string, use: () => unknown]>([
    ["ClientBuilder", () => new sdk.clientBuilder.ClientBuilder((client: unknown) => client)],
    ["the SDK's own HTTP client", () => new sdk.defaultHttpClient.DefaultHttpClient({})],
    ["the static state of the SDK's own HTTP client", () => sdk.defaultHttpClient.DefaultHttpClient.httpReqParam()],
    ["fail-over to another endpoint", () => new sdk.HcClient({}).overrideEndpoints(["https://evs.example.com"])],
    ["the lookup of a project id at IAM", () => credential().processAuthParams({}, "eu-west-101")],
    [
      "the lookup of a project id at IAM through a client",
      () => new sdk.HcClient({}).withCredential(credential()).withRegion({ id: "r" }).sendRequest({ pathParams: {} }),
    ],
    [
      "the lookup of a domain id at IAM",
      () => new sdk.GlobalCredentials().withAk("AK").withSk("SK").processAuthParams({}, "r"),
    ],
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
      "a derived signing key",
      () =>
        credential()
          .withDerivedPredicate(() => true)
          .processAuthRequest({}, request()),
    ],
    ["axios", () => sdk.axios.default({ url: "https://evs.example.com" })],
    ["axios.create", () => sdk.axios.create({}).interceptors.request.use()],
    ["axios.isAxiosError", () => sdk.axios.isAxiosError(new Error("any"))],
    ["a proxy", () => new sdk.proxy.HttpsProxyAgent("http://127.0.0.1:1")],
    ["uuid", () => sdk.uuid.v4()],
    ["log4js", () => sdk.log4js.getLogger()],
    ["a class that extends a stub", () => new (class extends sdk.proxy.HttpsProxyAgent {})()],
  ])(
    "the SDK stubs throw the error that a part of the SDK is missing in the bundle if code uses %s",
    async (_what, use) => {
      await expect((async () => use())()).rejects.toThrow(LEFT_OUT);
    },
  );

  test.each<[what: string, use: () => unknown, message: string]>([
    [
      "lodash.cloneDeep",
      () => sdk.lodash.cloneDeep({}),
      "Expected the SDK to use only sortBy of lodash, got lodash.cloneDeep.",
    ],
    ["moment.utc", () => sdk.moment.utc(), "Expected the SDK to use only a call of moment, got moment.utc."],
    [
      "moment().add",
      () => sdk.moment().add(1, "day"),
      "Expected the SDK to use only utcOffset of moment(), got moment().add.",
    ],
    [
      "moment().utcOffset(60)",
      () => sdk.moment().utcOffset(60),
      "Expected the SDK's signer to call utcOffset(0), got utcOffset(60).",
    ],
    [
      "moment().format(L)",
      () => sdk.moment().utcOffset(0).format("L"),
      "Expected the SDK's signer to call format(YYYYMMDDTHHmmss), got format(L).",
    ],
    [
      "logger.configure",
      () => sdk.logger.configure(),
      "Expected the SDK to use only getLogger and LogLevel of its logger, got its logger.configure.",
    ],
  ])("a stub that provides only part of an npm package throws an error if code uses %s", (_what, use, message) => {
    expect(use).toThrow(message);
  });

  test("the main module of the SDK loads without an error if stubs replace the packages that it requires", () => {
    expect(typeof sdk.core.BasicCredentials).toBe("function");
  });

  test("stubbedSdk makes vitest load stubs instead of the packages that the SDK requires", async () => {
    const path = createRequire(import.meta.url).resolve(`${CORE}/HcClient`);
    const { HcClient } = evaluate((await stubbedSdk.load(path)) ?? "");
    expect(() => new HcClient({}).overrideEndpoints([])).toThrow(LEFT_OUT);
    expect(await stubbedSdk.load(fileURLToPath(import.meta.url))).toBeUndefined();
  });
});
