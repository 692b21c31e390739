"use strict";
// Replaces SDK modules that this project never uses, because it has its own transport. Examples are axios and the SDK's own HTTP
// client. Every call of a function or constructor in a replaced module throws an error, even if it is nested in other members.
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
