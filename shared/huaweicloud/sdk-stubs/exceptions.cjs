// The SDK replaces every error by an exception that has lost the cause and the body: SOURCES.md#sdk-loses-error-bodies.
// This stub passes errors on unchanged, and SdkTransportAdapter (http/sdk-client.ts) keeps them.
const only = require("./only.cjs");

module.exports = only("its exceptions", { ExceptionUtil: { generalException: (exception) => exception } });
