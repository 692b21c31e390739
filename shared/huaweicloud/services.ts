import type { Cloud } from "../snapshots/ports.ts";
import { CLIENTS } from "./clients.generated.ts";
import type { Connection } from "./http/sdk-client.ts";

/** Returns a function that returns the client for any kind of snapshot. Used if a policy or a request names the kind. */
export const createCloud =
  (connection: Connection): Cloud =>
  ({ name }) =>
    CLIENTS[name as keyof typeof CLIENTS](connection);
