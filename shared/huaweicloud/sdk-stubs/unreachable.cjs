"use strict";
// Replaces the modules that only the SDK's own HTTP client needs (axios, https-proxy-agent, uuid), because this project has its
// own transport. Every call and every construction throws, for nested members too.
function refuse() {
  throw new Error(
    "The code called a part of the SDK that this bundle leaves out. Create clients with new HcClient(transport) and a " +
      "project id, never with ClientBuilder, a region or an identity provider.",
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
