import { once } from "node:events";
import { expect, test } from "vitest";
import { ODD_ANSWERS, type OddAnswer } from "../../../../../infra/local/cloud/gateway/odd-answers.ts";
import { bodyOf, post } from "../../../../support/cloud-client.ts";
import { startTestCloud } from "../../../../support/cloud-environment.ts";

const CREATE = "/v2/{p}/cloudsnapshots";

test("the embedded cloud sends each response in ODD_ANSWERS unchanged, either without executing the call or after executing it", async () => {
  for (const [name, odd] of Object.entries<OddAnswer>(ODD_ANSWERS)) {
    const { cloud } = await startTestCloud({ legacyPerVolume: 99 });
    const volume_id = cloud.addVolume().id;
    for (const after of [false, true]) {
      const handle = cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", ...odd, after });
      const [response] = await once(post(cloud, CREATE, { snapshot: { volume_id } }), "response");
      handle.remove();
      expect([response.statusCode, (await bodyOf(response)) === odd.body], name).toEqual([odd.status, true]);
      expect(response.headers, name).toMatchObject(odd.headers ?? {});
      expect(cloud.snapshots(), name).toHaveLength(after ? 1 : 0);
    }
  }
});

test("ODD_ANSWERS contains JSON bodies of 16 MiB and JSON bodies with 100,000 levels of nesting", () => {
  for (const { body } of [ODD_ANSWERS.large, ODD_ANSWERS.largeSuccess]) {
    expect(body).toHaveLength(16 * 1024 * 1024);
    expect(() => JSON.parse(body)).not.toThrow();
  }
  const { deepArray, deepObject, deepMessage, deepSuccess } = ODD_ANSWERS;
  for (const { body } of [deepArray, deepObject, deepMessage, deepSuccess]) {
    expect(body.match(/[[{]/g)?.length).toBeGreaterThanOrEqual(100_000);
    expect(() => JSON.parse(body)).not.toThrow();
  }
});
