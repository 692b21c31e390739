import type { Cloud } from "../snapshots/ports.ts";
import { CLIENTS } from "./clients.generated.ts";
import type { Connection } from "./http/sdk-client.ts";

/** Returns a function that gives the client of a kind, for functions whose policy names the kind. */
export const createCloud =
  (connection: Connection): Cloud =>
  ({ name }) =>
    CLIENTS[name as keyof typeof CLIENTS](connection);
