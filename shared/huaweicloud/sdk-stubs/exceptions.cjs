// The SDK replaces every error by an exception without the cause and the response body (SOURCES.md#sdk-loses-error-bodies).
// This stub returns errors unchanged, and SdkTransportAdapter (http/sdk-client.ts) keeps them.
const only = require("./only.cjs");

module.exports = only("its exceptions", { ExceptionUtil: { generalException: (exception) => exception } });
