// Runs one instance of a function: a plain Node.js process that loads one built bundle and runs one request after the other.
// Requests and outcomes are IPC messages. Arguments: the bundle's folder, the handler ("index.handler").
"use strict";
const path = require("node:path");
const { createContext } = require("./context.cjs");

const [folder, handlerName] = process.argv.slice(2);
// Save these functions before the bundle loads, because the bundle may replace them.
const send = process.send.bind(process);
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);

let handler;

/** Loads the handler with the first request, as the platform does. If the bundle does not load, that request fails. */
function loadHandler() {
  const dot = handlerName.lastIndexOf(".");
  const file = handlerName.slice(0, dot);
  const member = handlerName.slice(dot + 1);
  const loaded = require(path.resolve(folder, `${file}.js`))[member];
  if (typeof loaded !== "function") throw new TypeError(`${file}.js exports no function "${member}"`);
  return loaded;
}

/** Calls a handler of either documented shape: async or with a callback (SOURCES.md#functiongraph-handler). */
function call(event, context) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((resolve, reject) => {
    const done = (error, message) => (error === null || error === undefined ? resolve(message) : reject(error));
    Promise.resolve(handler(event, context, done)).catch(reject);
  });
}

/** Returns the result of a failed execution (SOURCES.md#functiongraph-failed-execution). */
function describe(error) {
  if (error instanceof Error) return { errorMessage: error.message, errorType: error.name };
  return { errorMessage: typeof error === "string" ? error : String(JSON.stringify(error)), errorType: "Error" };
}

async function run({ event, context }) {
  try {
    handler ??= loadHandler();
    const value = await call(event, createContext(context, writeOut));
    return { result: JSON.stringify(value) ?? "null" };
  } catch (error) {
    return { error: describe(error) };
  }
}

process.on("message", async (request) => {
  const outcome = await run(request);
  // The host reads the pipes and the IPC channel in no fixed order. The mark at the end of each pipe lets the host wait for
  // all output of the function before it returns the outcome.
  const mark = `\u0000${request.context.requestId}\u0000\n`;
  writeOut(mark);
  writeErr(mark);
  send(outcome);
});

// The host has ended, so end this instance, even if the bundle still has open handles.
process.on("disconnect", () => process.exit());
