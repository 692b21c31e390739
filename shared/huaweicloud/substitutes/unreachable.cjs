// axios, https-proxy-agent and uuid serve the SDK's own HTTP client, which is never built here: our transport is.
const refuse = () => {
  throw new Error(
    "Expected every request to go through the transport in shared/huaweicloud; the SDK's own HTTP layer was reached, " +
      "which is left out of this bundle. Build clients with new HcClient(transport), never with ClientBuilder.",
  );
};

module.exports = new Proxy(refuse, {
  get: (_target, name) => (name === "__esModule" ? undefined : name === "prototype" ? refuse.prototype : refuse),
  apply: refuse,
  construct: refuse,
});
