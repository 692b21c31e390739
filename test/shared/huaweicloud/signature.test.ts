import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials";
import { HcClient } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { sdkCredential } from "../../../shared/huaweicloud/http/credentials.ts";

const printable = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);

test("sdkCredential signs random requests exactly like the SDK's BasicCredentials", async () => {
  vi.useFakeTimers({ now: new Date("2026-11-21T02:00:00Z"), toFake: ["Date"] });
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          accessKey: printable,
          secretKey: printable,
          securityToken: fc.option(printable, { nil: undefined }),
          projectId: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
          method: fc.constantFrom("GET", "POST", "DELETE"),
          path: fc.stringMatching(/^[a-z0-9/-]{0,30}$/),
          query: fc.dictionary(fc.stringMatching(/^[a-z_]{1,9}$/), fc.oneof(fc.string(), fc.integer())),
          data: fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined }),
        }),
        async ({ accessKey, secretKey, securityToken, projectId, method, path, query, data }) => {
          const basicCredentials = new BasicCredentials().withAk(accessKey).withSk(secretKey).withProjectId(projectId);
          if (securityToken !== undefined) basicCredentials.withSecurityToken(securityToken);
          const ownCredential = sdkCredential({ accessKey, secretKey, securityToken }, projectId);
          const sent: Partial<IHttpRequest>[] = [];
          for (const credential of [ownCredential, basicCredentials]) {
            const client = new HcClient({
              async sendRequest(request: IHttpRequest) {
                const { url, headers, endpoint } = request;
                sent.push({ url, headers: Object.fromEntries(Object.entries(headers)), endpoint });
                return { data: {}, statusCode: 200, headers: {} };
              },
            } as never);
            await client
              .withCredential(credential)
              .withEndpoints(["https://evs.example.com"])
              .sendRequest({
                method,
                url: `/v2/{project_id}/${path}`,
                contentType: "application/json",
                queryParams: { ...query },
                pathParams: {},
                headers: {},
                ...(data === undefined ? {} : { data: { ...data } }),
              });
          }
          expect(sent[0]).toEqual(sent[1]);
        },
      ),
      { numRuns: 300 },
    );
  } finally {
    vi.useRealTimers();
  }
});
