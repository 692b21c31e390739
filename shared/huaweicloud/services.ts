import type { Cloud } from "../snapshots/ports.ts";
import { CLIENTS } from "./clients.generated.ts";
import type { Connection } from "./http/sdk-client.ts";

/**
 * Returns a function that receives a snapshot kind and returns the client for this kind. Callers use this function if a policy or
 * a request contains the name of the kind.
 */
export const createCloud =
  (connection: Connection): Cloud =>
  ({ name }) =>
    CLIENTS[name as keyof typeof CLIENTS](connection);
