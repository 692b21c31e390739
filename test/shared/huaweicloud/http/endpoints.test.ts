import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import { startCloud } from "../../../../infra/local/cloud/index.ts";
import { endpointOf, type Service } from "../../../../shared/huaweicloud/http/endpoints.ts";
import { WITHOUT_TOPIC } from "../../../support/common.ts";
import { apig, createTestEnvironment } from "../../../support/environment.ts";

const endpoint = (service: Service, variables: Record<string, string>) =>
  endpointOf(service, (name) => variables[name]);

/** Returns the message of the Misconfigured error that endpointOf throws. */
function errorMessage(service: Service, variables: Record<string, string>): string {
  try {
    endpoint(service, variables);
  } catch (thrown) {
    expect(thrown).toMatchObject({ reason: "Misconfigured" });
    return (thrown as Error).message;
  }
  throw new Error("Expected endpointOf to throw");
}

describe("endpointOf with a region", () => {
  test.each<[Service, string]>([
    ["EVS", "https://evs.eu-west-101.myhuaweicloud.com"],
    ["DWS", "https://dws.eu-west-101.myhuaweicloud.com"],
    ["ECS", "https://ecs.eu-west-101.myhuaweicloud.com"],
    ["FUNCTIONGRAPH", "https://functiongraph.eu-west-101.myhuaweicloud.com"],
  ])("endpointOf derives the address of %s from REGION: %s", (service, expected) =>
    expect(endpoint(service, { REGION: "eu-west-101" })).toBe(expected),
  );

  test.each([
    "",
    "EU-West-101",
    "eu west",
    "eu-west-101.evil.example",
    "eu-west-101/..",
    "-eu",
    "eu--west",
    "eu@x",
    "é",
  ])("endpointOf rejects %j as a region", (region) =>
    expect(errorMessage("EVS", { REGION: region })).toMatch(/^REGION: expected a region's name such as eu-west-101/),
  );

  test("endpointOf requires LTS_ENDPOINT even if REGION is set, because LTS receives log reports at a separate address", () => {
    expect(errorMessage("LTS", { REGION: "eu-west-101" })).toMatch(
      /^LTS_ENDPOINT: expected the address that receives log reports/,
    );
  });

  test("endpointOf names DWS_ENDPOINT and REGION in the error if neither variable is set", () => {
    expect(errorMessage("DWS", {})).toMatch(/^Neither DWS_ENDPOINT nor REGION is set\. .*https:\/\/dws\./);
  });
});

describe("endpointOf with an address", () => {
  test.each([
    ["https://evs.eu-west-101.myhuaweicloud.eu", "https://evs.eu-west-101.myhuaweicloud.eu"],
    ["https://evs.eu-de.otc.t-systems.com/", "https://evs.eu-de.otc.t-systems.com"],
    ["HTTPS://EVS.Example.COM:443", "https://evs.example.com"],
    ["https://evs.example.com:8443", "https://evs.example.com:8443"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://127.1.2.3", "http://127.1.2.3"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://[::1]:8080", "http://[::1]:8080"],
    ["https://100.125.11.157:8102", "https://100.125.11.157:8102"],
  ])("endpointOf accepts %s and returns the origin %s", (given, expected) => {
    expect(endpoint("EVS", { EVS_ENDPOINT: given, REGION: "eu-west-0" })).toBe(expected);
    expect(endpoint("LTS", { LTS_ENDPOINT: given })).toBe(expected);
  });

  test.each([
    ["without a scheme", "evs.eu-west-101.myhuaweicloud.com"],
    ["that consists of a host and a port", "localhost:8080"],
    ["that uses http for a public host", "http://evs.eu-west-101.myhuaweicloud.com"],
    ["that uses http for a private IP address", "http://10.0.0.1"],
    ["whose host begins with localhost", "http://localhost.evil.example"],
    ["whose user name is localhost", "http://localhost@evil.example"],
    ["whose host begins with 127.0.0.1", "http://127.0.0.1.evil.example"],
    ["with a path", "https://evs.example.com/v2"],
    ["that ends with two slashes", "https://evs.example.com//"],
    ["with a query", "https://evs.example.com/?x=1"],
    ["with a fragment", "https://evs.example.com/#x"],
    ["with the scheme ftp", "ftp://evs.example.com"],
    ["with the scheme file", "file:///etc/passwd"],
    ["with a port above 65535", "https://evs.example.com:99999"],
    ["without a host", "https://"],
    ["with a space", "https://evs.exa mple.com"],
    ["that contains two addresses and a comma", "https://a.example.com,https://b.example.com"],
  ])("endpointOf rejects an address %s, and the error describes the valid format", (_what, given) => {
    const message = errorMessage("EVS", { EVS_ENDPOINT: given, REGION: "eu-west-101" });
    expect(message).toMatch(
      /^EVS_ENDPOINT: expected an address such as https:\/\/.* \(https, or http on loopback; no path\), got "/,
    );
    if (!given.includes("@")) expect(message).toContain(JSON.stringify(given));
  });

  test.each([
    "https://me:q1w2@evs.example.com",
    "https://me:q1@w2@evs.example.com",
    "https://me:q1/w2@evs.example.com",
    "https://q1w2@evs.example.com/v2",
    "https:me:q1w2@evs.example.com",
    "me:q1w2@evs.example.com",
    "http://me:q1\nw2@127.0.0.1:80",
  ])("endpointOf rejects the address %j, and the error contains neither the user name nor the password", (given) => {
    const message = errorMessage("EVS", { EVS_ENDPOINT: given });
    expect(message).toMatch(/\*\*\*@(evs\.example\.com|127\.0\.0\.1)/);
    expect(message).not.toMatch(/q1|w2/);
  });
});

describe("the address of each service", () => {
  test("create functions send the requests for EVS, DWS and LTS to the address of each service", async () => {
    const { cloud: evs, invoke, clock } = await createTestEnvironment();
    const others = await Promise.all([startCloud({ clock }), startCloud({ clock })]);
    const [dws, lts] = others;
    try {
      const variables = { DWS_ENDPOINT: dws.url, LTS_ENDPOINT: lts.url, REGION: "somewhere-else-1" };
      await invoke(createSnapshot, apig({ snapshot: { volume_id: evs.addVolume().id } }), { variables });
      const cluster_id = dws.addCluster().id;
      await invoke(createClusterSnapshot, apig({ snapshot: { name: "snapshot-3", cluster_id } }), { variables });
      const services = [evs, dws, lts].map(({ requests }) => [...new Set(requests.map(({ service }) => service))]);
      expect(services).toEqual([["evs"], ["dws"], ["lts"]]);
      expect([evs.snapshots().length, dws.snapshots().length, lts.logs.length]).toEqual([1, 1, 4]);
    } finally {
      for (const other of others) await other.close();
    }
  });

  test("create-snapshot returns Misconfigured and sends no request if neither EVS_ENDPOINT nor REGION is set", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const variables = { EVS_ENDPOINT: undefined, REGION: undefined, ...WITHOUT_TOPIC };
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id } });
    const { result } = await invoke(createSnapshot, event, { variables });
    expect(result.statusCode).toBe(500);
    expect(JSON.parse(result.body).error).toMatchObject({
      reason: "Misconfigured",
      message: expect.stringContaining("EVS_ENDPOINT nor REGION"),
    });
    expect(cloud.requests).toEqual([]);
  });
});
