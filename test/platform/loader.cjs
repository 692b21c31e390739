// Runs one instance of a function as the documents of FunctionGraph describe it. The loader uses nothing of this repository: it
// imports no file of shared/, functions/ or infra/, so it does not repeat a mistake of the function host.
//
// What the documents say:
// - The handler is `file.export` below the code folder, with the parameters event, context and callback
//   (SOURCES.md#functiongraph-handler).
// - The result is the value that an async handler returns, or the second argument of the callback, as JSON.
// - If the handler throws, rejects or calls back with an error, the response is {errorMessage, errorType}
//   (SOURCES.md#functiongraph-failed-execution).
// - The context is an object with methods, such as getRequestID() (SOURCES.md#functiongraph-context,
//   SOURCES.md#functiongraph-running-time).
// - RUNTIME_USERDATA has the variables of the user, and the context reads them (SOURCES.md#functiongraph-user-data).
// - An instance processes one request at a time, and then further requests (SOURCES.md#functiongraph-one-request).
// The documents do not mention unhandled rejections and uncaught exceptions, so the loader installs no handler for them, and
// Node.js ends the process.
//
// Protocol: file descriptor 3 is a socket. The loader sends the line "ready". After that, the parent process sends one JSON line
// per request, and the loader returns one.
"use strict";
const { readFileSync } = require("node:fs");
const { Socket } = require("node:net");
const { join } = require("node:path");
const { performance } = require("node:perf_hooks");
const { format } = require("node:util");

const environment = process.env;
const MAX_LOG_BYTES = 90 * 1024;

class Logger {
  #requestId;
  #level = "INFO";
  constructor(requestId) {
    this.#requestId = requestId;
  }
  setLevel(level) {
    if (["DEBUG", "INFO", "WARN", "ERROR"].includes(level)) this.#level = level;
  }
  #log(level, values) {
    const order = ["DEBUG", "INFO", "WARN", "ERROR"];
    if (order.indexOf(level) < order.indexOf(this.#level)) return;
    const message = format(...values);
    for (let start = 0; start === 0 || start < message.length; start += MAX_LOG_BYTES)
      console.log(
        `${new Date().toISOString()} ${this.#requestId} ${level} ${message.slice(start, start + MAX_LOG_BYTES)}`,
      );
  }
  debug(...values) {
    this.#log("DEBUG", values);
  }
  info(...values) {
    this.#log("INFO", values);
  }
  warn(...values) {
    this.#log("WARN", values);
  }
  error(...values) {
    this.#log("ERROR", values);
  }
}

// Each method reads a private field, so it fails if a function calls it without the context object.
class Context {
  #request;
  #startedAt = Date.now();
  #userData = JSON.parse(environment.RUNTIME_USERDATA);
  #logger;
  constructor(request) {
    this.#request = request;
    this.#logger = new Logger(request.requestId);
  }
  #text(name) {
    return this.#request.credentials[name] ?? "";
  }
  getRequestID() {
    return this.#request.requestId;
  }
  getRemainingTimeInMilliSeconds() {
    return Number(environment.RUNTIME_TIMEOUT) * 1000 + this.#startedAt - Date.now();
  }
  getRunningTimeInSeconds() {
    // The published runtime returns milliseconds.
    return Number(environment.RUNTIME_TIMEOUT) * 1000;
  }
  getSecurityAccessKey() {
    return this.#text("ak");
  }
  getSecuritySecretKey() {
    return this.#text("sk");
  }
  getSecurityToken() {
    return this.#text("securityToken");
  }
  getToken() {
    return this.#text("token");
  }
  getAccessKey() {
    return this.#text("obsoleteAccessKey");
  }
  getSecretKey() {
    return this.#text("obsoleteSecretKey");
  }
  getUserData(key) {
    return this.#userData[key];
  }
  getFunctionName() {
    return environment.RUNTIME_FUNC_NAME;
  }
  getVersion() {
    return environment.RUNTIME_FUNC_VERSION;
  }
  getMemorySize() {
    return environment.RUNTIME_MEMORY;
  }
  getCPUNumber() {
    return environment.RUNTIME_CPU;
  }
  getPackage() {
    return environment.RUNTIME_PACKAGE;
  }
  getProjectID() {
    return environment.RUNTIME_PROJECT_ID;
  }
  getAlias() {
    return this.#text("alias");
  }
  getWorkflowID() {
    return this.#text("workflowId");
  }
  getWorkflowRunID() {
    return this.#text("workflowRunId");
  }
  getWorkflowStateID() {
    return this.#text("workflowStateId");
  }
  getLogger() {
    return this.#logger;
  }
}

/** Loads the handler that RUNTIME_HANDLER names, such as `index.handler`. */
function loadHandler() {
  const [, file, name] = /^(.*)\.([^.]+)$/.exec(environment.RUNTIME_HANDLER);
  const handler = require(join(environment.RUNTIME_CODE_ROOT, file))[name];
  if (typeof handler !== "function") throw new TypeError(`${environment.RUNTIME_HANDLER} is not a function`);
  return handler;
}

/** Calls a handler that returns a promise, or one that calls back. */
function call(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") returned.then(resolve, reject);
  });
}

/** Returns a number in a file of /proc/self, or undefined if the operating system has no such file. */
function readProc(file, pattern) {
  try {
    return Number(pattern.exec(readFileSync(`/proc/self/${file}`, "latin1"))[1]);
  } catch {
    return undefined;
  }
}

let handler;
let loadMs = 0;
let loadedRssBytes = 0;

async function run(request) {
  const answer = {};
  const startedAt = performance.now();
  // The time limit also covers the first loading of the handler.
  const context = new Context(request);
  try {
    if (handler === undefined) {
      const began = performance.now();
      handler = loadHandler();
      loadMs = performance.now() - began;
      loadedRssBytes = process.memoryUsage.rss();
    }
    const result = await call(handler, request.event, context);
    answer.result = JSON.stringify(result) ?? "null";
  } catch (error) {
    answer.error = { errorMessage: String(error?.message ?? error), errorType: String(error?.name ?? typeof error) };
  }
  answer.tookMs = performance.now() - startedAt;
  const peakKb = readProc("status", /^VmHWM:\s+(\d+) kB/m) ?? process.resourceUsage().maxRSS;
  answer.figures = {
    loadMs,
    loadedRssBytes,
    peakRssBytes: peakKb * 1024,
    // The bytes that the process sent to a disk, without what it wrote to pipes and sockets.
    writtenBytes: readProc("io", /^write_bytes: (\d+)/m),
  };
  // The lines of a request end with this mark, so the parent process knows when it has read all of them.
  for (const stream of [process.stdout, process.stderr]) stream.write(`\0${request.requestId}\0\n`);
  parent.write(`${JSON.stringify(answer)}\n`);
}

const parent = new Socket({ fd: 3 });
let incomplete = "";
parent.setEncoding("utf8");
parent.on("data", (text) => {
  const lines = (incomplete + text).split("\n");
  incomplete = lines.pop();
  for (const line of lines) void run(JSON.parse(line));
});
parent.write("ready\n");
