// The context object of FunctionGraph's Node.js runtime, member by member as in functiongraph.md 1.3: the getters and
// nothing else. The plain properties that the real one also has (requestID, userData, ...) are undocumented and left
// out on purpose: a function that came to rely on one fails here first.
"use strict";
const { format } = require("node:util");

/** The logger splits what is longer (functiongraph.md 1.3). */
const LOG_LINE_BYTES = 90 * 1024;
const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"];

function makeLogger(requestId, write) {
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
 * @param data what the host sends with each request: see `ContextData` in instance.ts
 * @param write takes a finished log line
 */
function makeContext(data, write) {
  const logger = makeLogger(data.requestId, write);
  const { credentials, userData } = data;
  return {
    getRequestID: () => data.requestId,
    getRemainingTimeInMilliSeconds: () => Math.max(0, data.deadline - Date.now()),
    // The documents say seconds, the runtime answers milliseconds (functiongraph.md 1.3): as the runtime does.
    getRunningTimeInSeconds: () => data.timeoutSeconds * 1000,
    getSecurityAccessKey: () => credentials.ak ?? "",
    getSecuritySecretKey: () => credentials.sk ?? "",
    getSecurityToken: () => credentials.securityToken ?? "",
    // No longer maintained by the platform; there, and of no use.
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

module.exports = { makeContext };
