// Loads a bundle, invokes its handler with one event, and prints the elapsed times and the used memory as JSON. Arguments:
//   <path of the bundle, or "-" for bare Node.js> <event as JSON> <user data as JSON> <speed of the clock, 1 for real time>
"use strict";
const { readFileSync } = require("node:fs");
const { subscribe } = require("node:diagnostics_channel");
const { performance } = require("node:perf_hooks");
const [bundle, event, userData, scale] = process.argv.slice(2);
const factor = Number(scale ?? 1);
if (factor !== 1) require("./scaled-time.cjs").scaleTime(factor);
const variables = JSON.parse(userData);
const write = process.stdout.write.bind(process.stdout);
console.log = () => {};
// Node.js publishes http.client.response.finish when the response to a node:http request arrives.
let firstResponseAt;
subscribe("http.client.response.finish", () => {
  firstResponseAt ??= performance.now();
});

const context = () => {
  const deadline = Date.now() + Number(variables.TIMEOUT_MS ?? 900_000);
  return {
    getRequestID: () => `bench-${process.pid}`,
    getRemainingTimeInMilliSeconds: () => deadline - Date.now(),
    getSecurityAccessKey: () => "EMBEDDEDCLOUDACCESS1",
    getSecuritySecretKey: () => "embedded-cloud-secret-key-not-a-real-one",
    getSecurityToken: () => "embedded-cloud-security-token",
    getToken: () => "",
    getUserData: (name) => variables[name],
    getProjectID: () => variables.PROJECT_ID,
    getPackage: () => "default",
    getFunctionName: () => variables.FUNCTION_NAME ?? "scheduled-snapshots",
    getVersion: () => "latest",
    getMemorySize: () => variables.MEMORY_MB ?? "512",
  };
};

/**
 * Returns the peak RSS of this process in bytes. On Linux, `maxRSS` also includes the memory of the parent process at the time when
 * it started this process, so it is only the fallback for other systems.
 */
function readPeak() {
  try {
    const [, kb] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "latin1"));
    return Number(kb) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

(async () => {
  const began = performance.now();
  const handler = bundle === "-" ? async () => ({}) : require(bundle).handler;
  const loadedAt = performance.now();
  const rssLoaded = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  let result;
  try {
    result = await handler(JSON.parse(event), context());
  } catch (error) {
    result = { error: error.message };
  }
  const finishedAt = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  const total = process.cpuUsage();
  write(
    JSON.stringify({
      load: loadedAt - began,
      first: (firstResponseAt ?? finishedAt) - began,
      whole: finishedAt - began,
      rssLoaded,
      rssPeak: readPeak(),
      cpu: (user + system) / 1000,
      cpuTotal: (total.user + total.system) / 1000,
      result,
    }),
    // A large result does not fit into the pipe at once.
    () => process.exit(),
  );
})();
