/** Tests that visitNewestRows and the clients for EVS read only the newest rows of a list. */
import { describe, expect, test } from "vitest";
import { createEvsV2Client } from "../../../../shared/huaweicloud/evs-v2.ts";
import { createEvsV5GroupClient, createEvsV5SnapshotClient } from "../../../../shared/huaweicloud/evs-v5.ts";
import { PageTooLarge } from "../../../../shared/huaweicloud/http/api-response.ts";
import { type RequestPage, visitNewestRows } from "../../../../shared/huaweicloud/http/pagination.ts";
import { connectionTo, PROJECT, startHttpServer } from "../../../support/wire.ts";

const rowsOf = (count: number) => Array.from({ length: count }, (_, id) => ({ id: `row-${id}` }));

/** Creates a service with `count` rows. `requests` contains the offset and the limit of each request. */
function serviceOf(count: number, maxRows = Number.POSITIVE_INFINITY) {
  const rows = rowsOf(count);
  const requests: string[] = [];
  const page: RequestPage = async (offset, limit) => {
    requests.push(`${offset} ${limit}`);
    return { rows: rows.slice(offset, offset + Math.min(limit, maxRows)) };
  };
  return { page, requests, rows };
}

/** Returns the ids of the rows that visitNewestRows visits if it stops at a page that contains the row `knownId`. */
async function visitUntil(page: RequestPage, knownId: string) {
  const visited: unknown[] = [];
  await visitNewestRows(page, ({ id }) => {
    visited.push(id);
    return id === knownId;
  });
  return visited;
}

describe("visitNewestRows", () => {
  test.each(["row-0", "row-10", "row-199"])(
    "visitNewestRows visits the first 200 rows with one request if the known row is %s",
    async (knownId) => {
      const { page, requests, rows } = serviceOf(1_000);
      expect(await visitUntil(page, knownId)).toEqual(rows.slice(0, 200).map(({ id }) => id));
      expect(requests).toEqual(["0 200"]);
    },
  );

  test("visitNewestRows requests a second page if the known row is the first row after the first page", async () => {
    const { page, requests } = serviceOf(1_000);
    expect(await visitUntil(page, "row-200")).toHaveLength(399);
    expect(requests).toEqual(["0 200", "199 200"]);
  });

  test("visitNewestRows visits all rows if no row is known, even if the service returns fewer rows than requested", async () => {
    const { page, requests } = serviceOf(25, 10);
    expect(await visitUntil(page, "none")).toHaveLength(25);
    expect(requests).toEqual(["0 200", "9 200", "18 200", "24 200"]);
  });

  test("visitNewestRows stops after one request if the list is empty", async () => {
    const { page, requests } = serviceOf(0);
    expect(await visitUntil(page, "none")).toEqual([]);
    expect(requests).toHaveLength(1);
  });

  test("visitNewestRows visits each row once and stops if the service ignores the offset", async () => {
    const visited = await visitUntil(async () => ({ rows: rowsOf(3) }), "none");
    expect(visited).toEqual(["row-0", "row-1", "row-2"]);
  });

  test("visitNewestRows visits each row once if new rows move rows to the next page", async () => {
    const rows = rowsOf(400);
    let added = 0;
    const page: RequestPage = async (offset, limit) => {
      const found = rows.slice(offset, offset + limit);
      rows.unshift({ id: `new-${++added}` });
      return { rows: found };
    };
    const visited = await visitUntil(page, "row-399");
    expect(visited).toHaveLength(400);
    expect(new Set(visited).size).toBe(400);
  });

  test("visitNewestRows requests half as many rows if a page does not fit into memory", async () => {
    const { page, requests } = serviceOf(300);
    const limited: RequestPage = async (offset, limit) => {
      const found = await page(offset, limit);
      if (limit > 100) throw new PageTooLarge("BadResponse", "The page does not fit into memory.");
      return found;
    };
    expect(await visitUntil(limited, "row-150")).toHaveLength(199);
    expect(requests).toEqual(["0 200", "0 100", "99 200", "99 100"]);
  });

  test("visitNewestRows fails if a page request fails", async () => {
    const page: RequestPage = async () => {
      throw new Error("no response");
    };
    await expect(visitUntil(page, "none")).rejects.toThrow("no response");
  });
});

describe.each([
  ["createEvsV2Client", createEvsV2Client, `/v2/${PROJECT}/cloudsnapshots/detail`, "snapshots"],
  ["createEvsV5SnapshotClient", createEvsV5SnapshotClient, `/v5/${PROJECT}/snapshots/detail`, "snapshots"],
  ["createEvsV5GroupClient", createEvsV5GroupClient, `/v5/${PROJECT}/snapshot-groups/detail`, "snapshot_groups"],
])("the method listNewest of %s", (client, createClient, path, name) => {
  /** Calls `listNewest` until a page contains the snapshot `row-<known>`. */
  async function listUntil(known: number, status: unknown = "available") {
    const all = rowsOf(450).map((row) => ({ ...row, status }));
    const server = await startHttpServer((incoming, response) => {
      const query = new URL(incoming.url ?? "", "http://localhost").searchParams;
      const [offset, limit] = [Number(query.get("offset")), Number(query.get("limit"))];
      response.end(JSON.stringify({ [name]: all.slice(offset, offset + limit) }));
    });
    const found: string[] = [];
    const listed = createClient(connectionTo(server.origin)).listNewest?.(({ id }) => {
      found.push(id);
      return id === `row-${known}`;
    });
    return { listed, found, server };
  }

  test(`${client} requests pages of 200 snapshots of all enterprise projects until a page contains a known snapshot`, async () => {
    const { listed, found, server } = await listUntil(250);
    await listed;
    expect(found).toEqual(Array.from({ length: 399 }, (_, id) => `row-${id}`));
    const urls = server.received.map(({ url }) => new URL(url, "http://localhost"));
    expect(urls.map(({ pathname }) => pathname)).toEqual([path, path]);
    expect(urls.map(({ searchParams }) => Object.fromEntries(searchParams))).toEqual(
      ["0", "199"].map((offset) => ({ enterprise_project_id: "all_granted_eps", limit: "200", offset })),
    );
  });

  test(`${client} fails with BadResponse if a row in the newest page has no status`, async () => {
    const { listed } = await listUntil(1, null);
    await expect(listed).rejects.toMatchObject({ reason: "BadResponse" });
  });
});
