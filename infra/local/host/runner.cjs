// One instance of a function: a bare Node.js process that loads one built bundle and answers one request after the
// other over IPC. Arguments: the bundle's folder, the handler ("index.handler").
"use strict";
const path = require("node:path");
const { makeContext } = require("./context.cjs");

const [folder, handlerName] = process.argv.slice(2);
// Taken before the bundle loads, so that nothing in it can talk to the host or be asked by it.
const send = process.send.bind(process);
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);

let handler;

/** Loaded with the first request, as the platform does: a bundle that does not load fails that request. */
function loadHandler() {
  const dot = handlerName.lastIndexOf(".");
  const file = handlerName.slice(0, dot);
  const member = handlerName.slice(dot + 1);
  const loaded = require(path.resolve(folder, `${file}.js`))[member];
  if (typeof loaded !== "function") throw new TypeError(`${file}.js exports no function "${member}"`);
  return loaded;
}

/** Both documented shapes (functiongraph.md 1.2): an async handler, and one that takes a callback. */
function call(event, context) {
  if (handler.length < 3) return handler(event, context);
  return new Promise((resolve, reject) => {
    const done = (error, message) => (error === null || error === undefined ? resolve(message) : reject(error));
    Promise.resolve(handler(event, context, done)).catch(reject);
  });
}

/** What a failed execution answers (functiongraph.md 1.2). */
function describe(error) {
  if (error instanceof Error) return { errorMessage: error.message, errorType: error.name };
  return { errorMessage: typeof error === "string" ? error : String(JSON.stringify(error)), errorType: "Error" };
}

async function answer({ event, context }) {
  try {
    handler ??= loadHandler();
    const value = await call(event, makeContext(context, writeOut));
    return { result: JSON.stringify(value) ?? "null" };
  } catch (error) {
    return { error: describe(error) };
  }
}

process.on("message", async (request) => {
  const outcome = await answer(request);
  // The pipes and the IPC channel are read in no set order: a mark at the end of each lets the host wait for all that
  // the function printed before it passes the answer on.
  const mark = `\u0000${request.context.requestId}\u0000\n`;
  writeOut(mark);
  writeErr(mark);
  send(outcome);
});

// The host is gone: so is the instance, whatever the bundle still has open.
process.on("disconnect", () => process.exit());
