// Builds the context object that FunctionGraph's Node.js runtime passes to a function (SOURCES.md#functiongraph-context). This
// object has only the documented getters. It omits undocumented properties, such as requestID and userData, so a function that
// uses an undocumented property fails in the tests.
"use strict";
const { format } = require("node:util");

/** The maximum length of a log line. FunctionGraph's logger splits a longer line (SOURCES.md#functiongraph-logger). */
const LOG_LINE_BYTES = 90 * 1024;
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];

function createLogger(requestId, write) {
  let threshold = LEVELS.indexOf("INFO");
  const createLogMethod =
    (level) =>
    (...values) => {
      if (LEVELS.indexOf(level) < threshold) return;
      const line = `${new Date().toISOString()} ${requestId} ${level} ${format(...values)}`;
      for (let from = 0; from < line.length; from += LOG_LINE_BYTES)
        write(`${line.slice(from, from + LOG_LINE_BYTES)}\n`);
    };
  return {
    debug: createLogMethod("DEBUG"),
    info: createLogMethod("INFO"),
    warn: createLogMethod("WARN"),
    error: createLogMethod("ERROR"),
    setLevel(level) {
      const wanted = LEVELS.indexOf(String(level).toUpperCase());
      if (wanted >= 0) threshold = wanted;
    },
  };
}

/**
 * Creates the context object of one request.
 *
 * @param data the data that the host sends with each request, see `ContextData` in instance.ts
 * @param write writes a formatted log line to the standard output
 */
function createContext(data, write) {
  const logger = createLogger(data.requestId, write);
  const { credentials, userData } = data;
  return {
    getRequestID: () => data.requestId,
    getRemainingTimeInMilliSeconds: () => Math.max(0, data.deadline - Date.now()),
    // The documents say that the result is in seconds, but the real runtime returns milliseconds
    // (SOURCES.md#functiongraph-running-time).
    getRunningTimeInSeconds: () => data.timeoutSeconds * 1000,
    getSecurityAccessKey: () => credentials.ak ?? "",
    getSecuritySecretKey: () => credentials.sk ?? "",
    getSecurityToken: () => credentials.securityToken ?? "",
    // FunctionGraph has deprecated `getAccessKey` and `getSecretKey`, so the host returns empty keys.
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
