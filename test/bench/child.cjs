// One fresh process: loads a bundle, answers one event with it, says what that cost. Arguments: the bundle ("-": none), the
// event and the user data as JSON, and how much faster than others its time goes.
"use strict";
const { subscribe } = require("node:diagnostics_channel");
const { performance } = require("node:perf_hooks");
const [bundle, event, userData, scale] = process.argv.slice(2);
const factor = Number(scale ?? 1);
if (factor !== 1) require("./scaled-time.cjs").scaleTime(factor);
const variables = JSON.parse(userData);
const write = process.stdout.write.bind(process.stdout);
console.log = () => {};
// Node says so of every HTTP client that is built on its own.
let first;
subscribe("http.client.response.finish", () => {
  first ??= performance.now();
});

const context = () => {
  const deadline = Date.now() + 900_000;
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
    getMemorySize: () => "512",
  };
};

(async () => {
  const begun = performance.now();
  const handler = bundle === "-" ? async () => ({}) : require(bundle).handler;
  const loaded = performance.now();
  const rssLoaded = process.memoryUsage.rss();
  const cpu = process.cpuUsage();
  let answer;
  try {
    answer = await handler(JSON.parse(event), context());
  } catch (error) {
    answer = { error: error.message };
  }
  const answered = performance.now();
  const { user, system } = process.cpuUsage(cpu);
  write(
    JSON.stringify({
      load: loaded - begun,
      first: (first ?? answered) - begun,
      whole: answered - begun,
      rssLoaded,
      rssPeak: process.resourceUsage().maxRSS * 1024,
      cpu: (user + system) / 1000,
      answer,
    }),
  );
  process.exit();
})();
