"use strict";
// What serves the SDK's own HTTP client (axios, https-proxy-agent, uuid) or is reached by it alone: never built here, our
// transport is. Whatever of it is called or constructed, however deep, throws.
function refuse() {
  throw new Error(
    "Expected every request to go through the transport in shared/huaweicloud, with a project id; " +
      "a part of the SDK that is left out of this bundle was reached. Build clients with new HcClient(transport), " +
      "never with ClientBuilder, a region or an identity provider.",
  );
}

const unreachable = new Proxy(refuse, {
  get: (target, name) =>
    name === "__esModule" || typeof name === "symbol"
      ? undefined
      : name === "prototype"
        ? target.prototype
        : unreachable,
  apply: refuse,
  construct: refuse,
});

module.exports = unreachable;
