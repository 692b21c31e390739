"use strict";
// Replaces SDK modules that this project never uses, such as the SDK's own HTTP client and axios, because this project has its
// own transport. Every function call and every constructor call throws an error, also for nested members.
function throwUnreachable() {
  throw new Error(
    "The code called a part of the SDK that is missing in this bundle. Create clients with new HcClient(transport) and a " +
      "project id, never with ClientBuilder, a region or an identity provider.",
  );
}

const unreachable = new Proxy(throwUnreachable, {
  get: (target, name) =>
    name === "__esModule" || typeof name === "symbol"
      ? undefined
      : name === "prototype"
        ? target.prototype
        : unreachable,
  apply: throwUnreachable,
  construct: throwUnreachable,
});

module.exports = unreachable;
