import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { BadInput } from "../../../infra/ci/connection.ts";
import { readOptions } from "../../../infra/ci/options.ts";
import { APP_CODE, CI, ROOT } from "../../support/gate-client.ts";

describe("the gate client's options", () => {
  const variables = { SNAPSHOT_GATE_URL: "https://gate.example.com/pre-deploy", SNAPSHOT_GATE_APP_CODE: APP_CODE };
  const targets = join(CI, "snapshot-targets.json");
  const valid = ["--deployment-id", "release-1", "--targets", targets];

  const idWith = (id: string, more: string[] = []) =>
    readOptions([...valid, `--deployment-id=${id}`, ...more], variables).request.deployment_id;

  test.each([
    [
      "an unexpanded shell, Azure or GitHub variable",
      ["$BUILD", "shop-$BUILD", `shop-\${BUILD}`, "$(Build.BuildId)", `\${{ github.sha }}`],
    ],
    [
      "an unexpanded placeholder such as %BUILD% or {{sha}}",
      ["%BUILD%", "shop-%BUILD%", "{{ sha }}", "{{sha}}", "#{sha}#", "<id>", "@BUILD@"],
    ],
    [
      'an empty segment, as in "shop-" or "shop--prod"',
      ["shop-", "shop/", "shop_", "shop.", "shop:", "-shop", "shop--prod", "shop-.-prod", "-", "__BUILD__"],
    ],
    [
      'the segment "undefined" or "null"',
      ["undefined", "null", "shop-undefined", "shop-null", "shop/null", "shop_undefined"],
    ],
    ['a segment such as "NULL" or "None"', ["shop.undefined", "undefined-1", "shop-NULL", "shop:None", "build=null"]],
    [
      "a space or a control character",
      [" ", "shop 1", "shop-1 ", "shop\t1", "shop-1\n", "shop\u00a01", "shop\u0085-1", "shop\u202e-1"],
    ],
  ])("the gate client rejects a deployment id with %s, except with --allow-any-id", (_name, ids) => {
    for (const id of ids) {
      expect(() => idWith(id), id).toThrow(/^--deployment-id: got .* add --allow-any-id\.$/s);
      expect(idWith(id, ["--allow-any-id"])).toBe(id);
    }
  });

  test("the gate client accepts build numbers, versions, branch names, hashes and UUIDs as deployment ids", () => {
    const numbers = "1234-1-987 web-1.4.2 20261121.3-shop v1.2.3-rc.1+build.5 repo#12 2026-11-29T10:00:00Z";
    const names = "release-1 feature/x-12 nullable-3 fix-null-check-12 user@host-12 发布-12 größe-3";
    const hashes = "f1828b0 f1828b0c5a1de2f0a4b1c9e8d7f6a5b4c3d2e1f0 5aa119a8-d25b-45a7-8d1b-88e127885635";
    for (const id of `${numbers} ${names} ${hashes} ${"x".repeat(128)}`.split(" ")) expect(idWith(id)).toBe(id);
  });

  test("the gate client rejects a deployment id of 129 characters even with --allow-any-id", () => {
    expect(() => idWith("x".repeat(129), ["--allow-any-id"])).toThrow(
      /^--deployment-id: got .* Expected at most 128 characters/,
    );
  });

  test.each([
    ["an empty array", "[]", /at least one selection/],
    ["a selection that is null", "[null]", /targets\[0\] has no string/],
    [
      "a selection that is an array",
      '[{"kind":"snapshot","tags":{"a":"b"}},["snapshot"]]',
      /targets\[1\] has no string/,
    ],
    ["a selection without a kind", '[{"tags":{"a":"b"}}]', /targets\[0\] has no string/],
    ["a selection whose kind is an array", '[{"kind":["snapshot"]}]', /targets\[0\] has no string/],
    ["an object instead of an array", '{"length":0}', /expected a JSON array/],
  ])("the gate client rejects a targets file with %s", (_name, text, message) => {
    const folder = mkdtempSync(join(tmpdir(), "gate-options-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "targets.json");
    writeFileSync(path, text);
    expect(() => readOptions([...valid, "--targets", path], variables)).toThrow(message);
  });

  test("the gate client reads each option from an argument or from its SNAPSHOT_GATE_… environment variable", () => {
    const expected = {
      url: new URL("https://gate.example.com/pre-deploy"),
      credentials: { appCode: APP_CODE },
      request: {
        deployment_id: "release-1",
        targets: [{ kind: "standard-snapshot", tags: { app: "shop" } }],
        policy: "releases",
        max_age_minutes: 60,
      },
      retryFailed: true,
      timeoutSeconds: 600,
    };
    const more = ["--policy", "releases", "--max-age-minutes", "60", "--timeout-seconds", "600", "--retry-failed"];
    expect(readOptions([...valid, ...more], variables)).toEqual(expected);
    const set = {
      SNAPSHOT_GATE_DEPLOYMENT_ID: "release-1",
      SNAPSHOT_GATE_TARGETS: targets,
      SNAPSHOT_GATE_POLICY: "releases",
      SNAPSHOT_GATE_MAX_AGE_MINUTES: "60",
      SNAPSHOT_GATE_TIMEOUT_SECONDS: "600",
      SNAPSHOT_GATE_RETRY_FAILED: "true",
    };
    expect(readOptions([], { ...variables, ...set })).toEqual(expected);
    expect(readOptions(valid, variables)).toMatchObject({ retryFailed: false, timeoutSeconds: 1_800 });
    const yes = { ...variables, ...set, SNAPSHOT_GATE_RETRY_FAILED: "1" };
    expect(readOptions([], yes)).toEqual(expected);
    expect(readOptions([], { ...yes, SNAPSHOT_GATE_RETRY_FAILED: "0" })).toMatchObject({ retryFailed: false });
  });

  // biome-ignore format: the cases are easier to compare in rows
  const INVALID: [string, string[], Record<string, string>, RegExp][] = [
    ["a missing URL", valid, { SNAPSHOT_GATE_URL: "" }, /^Expected the option --url/],
    ["a URL without TLS", valid, { SNAPSHOT_GATE_URL: "http://gate.example.com/" }, /^--url: expected .* https/],
    ["a URL with a password", valid, { SNAPSHOT_GATE_URL: "https://a:b@gate.example.com/" }, /^--url: expected/],
    ["a URL with a query", valid, { SNAPSHOT_GATE_URL: "https://gate.example.com/?a=b" }, /^--url: expected/],
    ["a URL with a fragment", valid, { SNAPSHOT_GATE_URL: "https://gate.example.com/#a" }, /^--url: expected .* fragment/],
    ["an invalid URL", valid, { SNAPSHOT_GATE_URL: "gate" }, /^--url: expected/],
    ["missing credentials", valid, { SNAPSHOT_GATE_APP_CODE: "" }, /^Expected SNAPSHOT_GATE_APP_CODE/],
    ["an access key without a secret key", valid, { SNAPSHOT_GATE_APP_CODE: "", HUAWEICLOUD_SDK_AK: "a" },
      /neither is set/],
    ["an app code with a line break", valid, { SNAPSHOT_GATE_APP_CODE: `${APP_CODE}\n` }, /such as a line break/],
    ["a missing deployment id", valid.slice(2), {}, /^Expected the option --deployment-id/],
    ["a deployment id that begins with a hyphen", [...valid, "--deployment-id=-shop"], {},
      /^--deployment-id: got/],
    ["a deployment id that ends with a hyphen", [...valid, "--deployment-id", "5541-"], {},
      /^--deployment-id: got/],
    ["a deployment id with an unexpanded variable", [...valid, "--deployment-id", `1-\${JOB}`], {},
      /^--deployment-id: .*unexpanded variable/],
    ["a deployment id of 129 characters", [...valid, "--deployment-id", "x".repeat(129)], {}, /at most 128 characters/],
    ["SNAPSHOT_GATE_RETRY_FAILED with a value that is not a boolean", valid, { SNAPSHOT_GATE_RETRY_FAILED: "yes" },
      /^--retry-failed: expected true or false/],
    ["SNAPSHOT_GATE_ALLOW_ANY_ID with a value that is not a boolean", valid, { SNAPSHOT_GATE_ALLOW_ANY_ID: "yes" },
      /^--allow-any-id: expected true or false/],
    ["an empty --max-age-minutes", [...valid, "--max-age-minutes", ""], {},
      /^--max-age-minutes: expected a value, got an/],
    ["an empty --deployment-id", [...valid, "--deployment-id", ""], {},
      /^--deployment-id: expected a value, got an empty string/],
    ["a missing --targets", valid.slice(0, 2), {}, /^Expected the option --targets/],
    ["a targets file that does not exist", [...valid, "--targets", "none.json"], {}, /^--targets: expected a file/],
    ["a targets file whose JSON is not an array", [...valid, "--targets", join(ROOT, "package.json")], {},
      /^--targets: expected a JSON array/],
    ["an unknown option", [...valid, "--retry"], {}, /^Unknown option/],
    ["a timeout that is not a number", [...valid, "--timeout-seconds", "soon"], {},
      /^--timeout-seconds: expected an integer/],
    ["a timeout of 0 s", [...valid, "--timeout-seconds", "0"], {}, /^--timeout-seconds: expected an integer/],
  ];
  test.each(INVALID)("the gate client rejects %s", (_name, argv, changes, message) => {
    const read = () => readOptions(argv, { ...variables, ...changes });
    expect(read).toThrow(BadInput);
    expect(read).toThrow(message);
    expect(read).not.toThrow(APP_CODE);
  });
});
