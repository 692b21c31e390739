// Runs as one instance of a function: loads one built bundle and runs one request after the other. The host sends requests, and
// receives outcomes, as IPC messages. Arguments: the folder of the bundle, and the handler, such as "index.handler".
"use strict";
const path = require("node:path");
const { createContext } = require("./context.cjs");

const [folder, handlerName] = process.argv.slice(2);
// Save these functions before the bundle loads, because the bundle may replace them.
const send = process.send.bind(process);
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);

let handler;

/**
 * Loads the handler. As on the platform, the first request calls this function. If the bundle fails to load, that request fails.
 */
function loadHandler() {
  const dot = handlerName.lastIndexOf(".");
  const file = handlerName.slice(0, dot);
  const member = handlerName.slice(dot + 1);
  const loaded = require(path.resolve(folder, `${file}.js`))[member];
  if (typeof loaded !== "function") throw new TypeError(`${file}.js exports no function "${member}"`);
  return loaded;
}

/** Calls the handler, which is either async or has a third parameter for a callback (SOURCES.md#functiongraph-handler). */
function callHandler(event, context) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((resolve, reject) => {
    const done = (error, message) => (error === null || error === undefined ? resolve(message) : reject(error));
    Promise.resolve(handler(event, context, done)).catch(reject);
  });
}

/** Converts a thrown value to FunctionGraph's error format (SOURCES.md#functiongraph-failed-execution). */
function toFunctionError(error) {
  if (error instanceof Error) return { errorMessage: error.message, errorType: error.name };
  return { errorMessage: typeof error === "string" ? error : String(JSON.stringify(error)), errorType: "Error" };
}

async function runRequest({ event, context }) {
  try {
    handler ??= loadHandler();
    const value = await callHandler(event, createContext(context, writeOut));
    return { result: JSON.stringify(value) ?? "null" };
  } catch (error) {
    return { error: toFunctionError(error) };
  }
}

process.on("message", async (request) => {
  const outcome = await runRequest(request);
  // The outcome can reach the host before the output, because the host reads the pipes and the IPC channel in no fixed order.
  // With an end mark in each pipe, the host can wait for all output of the function.
  const mark = `\u0000${request.context.requestId}\u0000\n`;
  writeOut(mark);
  writeErr(mark);
  send(outcome);
});

// Exit when the host exits, even if the bundle still has open handles.
process.on("disconnect", () => process.exit());
