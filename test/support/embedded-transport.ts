/** Sends the requests of a test environment to its embedded cloud. */
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { type HttpRequest, type HttpResponse, nodeTransport } from "../../shared/huaweicloud/http/transport.ts";

/** The timeout of a real HTTP request in milliseconds. It is long because the machine may be busy with other work. */
const REAL_TIMEOUT_MS = 60_000;

/** Identifies each request, so the transport can find the request among those that the embedded cloud received. */
const REQUEST_NUMBER_HEADER = "x-test-request";

/**
 * Returns a transport that sends real HTTP requests while the clock of the test stands still. If a fault makes the embedded
 * cloud never respond, the transport resolves to undefined. Otherwise it waits for the response, even if the machine is busy.
 */
export function transportTo(cloud: EmbeddedCloud): (request: HttpRequest) => Promise<HttpResponse | undefined> {
  const send = nodeTransport();
  let count = 0;
  return async (request) => {
    const requestNumber = String(++count);
    const isSuppressed = () => {
      const received = cloud.requests.findLast(({ headers }) => headers[REQUEST_NUMBER_HEADER] === requestNumber);
      return /^(hang|stall)$/.test(received?.fault ?? "");
    };
    let poll: NodeJS.Timeout | undefined;
    const suppressed = new Promise<undefined>((resolve) => {
      poll = setInterval(() => isSuppressed() && resolve(undefined), 2);
    });
    const headers = { ...request.headers, [REQUEST_NUMBER_HEADER]: requestNumber };
    const response = send({ ...request, headers, timeoutMs: REAL_TIMEOUT_MS });
    // When the embedded cloud closes, it also closes the connection of a request that has no response.
    response.catch(() => {});
    return Promise.race([response, suppressed]).finally(() => clearInterval(poll));
  };
}
