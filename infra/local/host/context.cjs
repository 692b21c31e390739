// Builds the context object of FunctionGraph's Node.js runtime with its documented getters (SOURCES.md#functiongraph-context).
// The real object also has undocumented properties, such as requestID and userData. They are omitted on purpose, so a function
// that uses such a property fails in the tests.
"use strict";
const { format } = require("node:util");

/** The logger splits longer lines (SOURCES.md#functiongraph-logger). */
const LOG_LINE_BYTES = 90 * 1024;
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];

function createLogger(requestId, write) {
  let threshold = LEVELS.indexOf("INFO");
  const at =
    (level) =>
    (...values) => {
      if (LEVELS.indexOf(level) < threshold) return;
      const line = `${new Date().toISOString()} ${requestId} ${level} ${format(...values)}`;
      for (let from = 0; from < line.length; from += LOG_LINE_BYTES)
        write(`${line.slice(from, from + LOG_LINE_BYTES)}\n`);
    };
  return {
    debug: at("DEBUG"),
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
    setLevel(level) {
      const wanted = LEVELS.indexOf(String(level).toUpperCase());
      if (wanted >= 0) threshold = wanted;
    },
  };
}

/**
 * @param data the data that the host sends with each request, see `ContextData` in instance.ts
 * @param write writes a finished log line
 */
function createContext(data, write) {
  const logger = createLogger(data.requestId, write);
  const { credentials, userData } = data;
  return {
    getRequestID: () => data.requestId,
    getRemainingTimeInMilliSeconds: () => Math.max(0, data.deadline - Date.now()),
    // The documents promise seconds, but the runtime returns milliseconds (SOURCES.md#functiongraph-running-time).
    getRunningTimeInSeconds: () => data.timeoutSeconds * 1000,
    getSecurityAccessKey: () => credentials.ak ?? "",
    getSecuritySecretKey: () => credentials.sk ?? "",
    getSecurityToken: () => credentials.securityToken ?? "",
    // The platform still has these two getters, but no longer maintains them.
    getAccessKey: () => "",
    getSecretKey: () => "",
    getToken: () => credentials.token ?? "",
    getUserData: (key) => (Object.hasOwn(userData, key) ? userData[key] : undefined),
    getFunctionName: () => data.functionName,
    getVersion: () => "latest",
    getMemorySize: () => String(data.memoryMb),
    getCPUNumber: () => String(data.cpuMillicores),
    getPackage: () => data.package,
    getProjectID: () => data.projectId,
    getAlias: () => "",
    getWorkflowID: () => "",
    getWorkflowRunID: () => "",
    getWorkflowStateID: () => "",
    getLogger: () => logger,
  };
}

module.exports = { createContext };
