// Invokes a function repeatedly in one process and prints the mean time of an invocation. It accepts one of these argument lists:
//   calls <path of the built warm-calls.ts> <event>
//   network <path of a bundle> <event> <user data> <number of invocations>
"use strict";
const { performance } = require("node:perf_hooks");
const [mode, bundle, eventText, userData, times] = process.argv.slice(2);
const write = process.stdout.write.bind(process.stdout);
console.log = () => {};
const event = JSON.parse(eventText);
const variables = userData
  ? JSON.parse(userData)
  : { PROJECT_ID: "0123456789abcdef0123456789abcdef", EVS_ENDPOINT: "http://127.0.0.1:1" };
let invocations = 0;
const context = () => {
  invocations += 1;
  const id = `warm-${invocations}`;
  return {
    getRequestID: () => id,
    getRemainingTimeInMilliSeconds: () => 30_000,
    getSecurityAccessKey: () => "EMBEDDEDCLOUDACCESS1",
    getSecuritySecretKey: () => "embedded-cloud-secret-key",
    getSecurityToken: () => "token",
    getUserData: (name) => variables[name],
    getProjectID: () => variables.PROJECT_ID,
  };
};

async function measureCalls({ chain, bare, plan }) {
  const ROUNDS = 7;
  const CALLS_PER_ROUND = 200;
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const figures = { chain: { ms: [], bytes: [] }, bare: { ms: [], bytes: [] } };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, call] of Object.entries({ chain, bare })) {
      gc();
      const heap = process.memoryUsage().heapUsed;
      const began = performance.now();
      for (let index = 0; index < CALLS_PER_ROUND; index += 1) await call(event, context());
      const ms = (performance.now() - began) / CALLS_PER_ROUND;
      const bytes = (process.memoryUsage().heapUsed - heap) / CALLS_PER_ROUND;
      // Ignore the first round, because V8 is still optimizing the code.
      if (round > 0) figures[name].ms.push(ms) && figures[name].bytes.push(bytes);
    }
  }
  const mediansOf = ({ ms, bytes }) => ({ ms: median(ms), bytes: median(bytes) });
  return { chain: mediansOf(figures.chain), bare: mediansOf(figures.bare), planCpu: plan(100_000) };
}

async function measureNetwork({ handler }) {
  await handler(event, context());
  const began = performance.now();
  for (let index = 1; index < Number(times); index += 1) await handler(event, context());
  return { ms: (performance.now() - began) / (Number(times) - 1) };
}

(mode === "calls" ? measureCalls : measureNetwork)(require(bundle)).then((figures) => {
  write(JSON.stringify(figures));
  process.exit();
});
