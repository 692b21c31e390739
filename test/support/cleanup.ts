/** Runs cleanup actions if this process exits or receives a signal that ends it. */

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const actions = new Set<() => void>();

function runActions(): void {
  for (const action of actions) {
    actions.delete(action);
    action();
  }
}

function onSignal(signal: NodeJS.Signals): void {
  runActions();
  process.off(signal, onSignal);
  // If the signal has no other listener, it must end the process as if it had none.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

/**
 * Registers a synchronous action that runs once, before the process exits or when it receives SIGINT, SIGTERM or SIGHUP.
 *
 * @returns a function that removes the action
 */
export function onExit(action: () => void): () => void {
  if (actions.size === 0) {
    process.on("exit", runActions);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  actions.add(action);
  return () => {
    if (!actions.delete(action) || actions.size > 0) return;
    process.off("exit", runActions);
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}
