/** Creates very large responses and endless lists. */
import { hugeText, type Json, manyRows } from "./mutate.ts";
import { editing, type FuzzedResponse, type Material, sending } from "./response.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = [100 * KIB, 300 * KIB, MIB, 3 * MIB, 4 * MIB - 100, 5 * MIB, 15 * MIB, 16 * MIB - 100, 20 * MIB];

/** Returns the field name and the elements of the first array in a response body. */
export function arrayIn(body: Json | undefined): [name: string, rows: Json[]] {
  const entries = Object.entries((body ?? {}) as { [name: string]: Json });
  for (const [name, value] of entries) if (Array.isArray(value) && !name.endsWith("_links")) return [name, value];
  return ["snapshots", []];
}

/** Returns a response of 100 KiB to 20 MiB that contains one long string, or many values, rows or fields. */
export function bigFault(material: Material): FuzzedResponse {
  const { random } = material;
  const size = random.pick(SIZES);
  const status = random.pick([200, 202, 400, 404, 500, 503]);
  const after = random.chance(0.5);
  const kind = random.pick(["text", "values", "numbers", "rows", "rows", "names", "message"] as const);
  const how = `${Math.round(size / KIB)} KiB of ${kind}`;
  const filled = (unit: string) => unit.repeat(Math.floor(size / unit.length)).slice(0, -1);
  switch (kind) {
    case "text":
      return sending(how, { status, body: () => hugeText(random, size) }, after);
    case "message":
      return sending(
        how,
        { status, body: () => `{"error":{"code":"EVS.5400","message":"${"m".repeat(size)}"}}` },
        after,
      );
    case "values": {
      const name = random.pick(["snapshots", "volumes", "snapshot_groups", "servers", "clusters", "error"]);
      return sending(
        how,
        { status, body: () => `{"${name}":[${filled(random.pick(["{},", "[],", '{"id":0},']))}]}` },
        after,
      );
    }
    case "numbers":
      return sending(how, { status, body: () => `[${filled(random.pick(["0,", "1.5,", "null,", '"",']))}]` }, after);
    case "names":
      return sending(
        how,
        { status, body: () => `{${Array.from({ length: size / 20 }, (_, at) => `"n${at}":{"a":0}`).join()}}` },
        after,
      );
    case "rows":
      return editing(how, (body) => {
        const [name, rows] = arrayIn(body);
        const template = JSON.stringify(rows[0] ?? { id: random.uuid(), status: "available", name: "n" }).length + 38;
        return { ...(body as object), count: null, [name]: manyRows(rows, Math.floor(size / template), material) };
      });
  }
}

const PAGE = 1_000;

/** Returns a fault that makes a list endless: each page has new rows, so the function has to request another page. */
export function endlessFault(material: Material): FuzzedResponse {
  const { random } = material;
  const counts = random.pick([null, 1_000_000, "many"]);
  let last: Json | undefined;
  const response = editing("list responses whose pages never stop", (body) => {
    const [name, rows] = arrayIn(body);
    const page = manyRows(last === undefined ? rows : [last], PAGE, material);
    // Each page repeats the last row of the previous page, as if a row had been added between two requests.
    if (last !== undefined) page.unshift(last);
    last = page.at(-1);
    return { ...(body as object), count: counts, [name]: page };
  });
  return response;
}
