// Replaces the SDK's logger, which prints headers and bodies with their secrets (SOURCES.md#sdk-logs-secrets). This stub prints
// nothing, even with DEBUG=DEBUG. The SDK calls its logger for every request, so these calls must not throw an error.
const only = require("./only.cjs");

const silent = () => {};
const logger = { debug: silent, info: silent, warn: silent, error: silent };

module.exports = only("its logger", { getLogger: () => logger, LogLevel: { INFO: "INFO" } });
