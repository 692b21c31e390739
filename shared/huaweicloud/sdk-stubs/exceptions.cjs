// The SDK turns every failure into an exception that has lost most of it (cloud-apis.md 5.4.2, 5.4.3). Ours are read by the
// transport's own exchange (client.ts), which keeps them: what passes through the SDK on its way stays as it is.
const only = require("./only.cjs");

module.exports = only("its exceptions", { ExceptionUtil: { generalException: (exception) => exception } });
