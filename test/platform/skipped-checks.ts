/** Names the checks of a run that the machine does not support. */
import type { Figures, Instance } from "./instance.ts";
import { CAN_CHANGE_USER, CAN_FIND_FILES } from "./sandbox.ts";

/** The properties of the machine on which the checks depend. */
export interface Machine {
  canChangeUser: boolean;
  canFindFiles: boolean;
}

/** Returns the checks that a run skipped, each with the reason. */
export function findSkippedChecks(
  { limitsMemory }: Pick<Instance, "limitsMemory">,
  { writtenBytes }: Pick<Figures, "writtenBytes">,
  { canChangeUser, canFindFiles }: Machine = { canChangeUser: CAN_CHANGE_USER, canFindFiles: CAN_FIND_FILES },
): string[] {
  return [
    ...(canChangeUser ? [] : ["the rights of the user nobody, because only root can start a process as nobody"]),
    ...(canFindFiles ? [] : ["files in shared folders such as /tmp, because only root on Linux can find them"]),
    ...(limitsMemory ? [] : ["the memory limit of the whole process, because no cgroup can be created"]),
    ...(writtenBytes === undefined ? ["the bytes written to a disk, because the system does not count them"] : []),
  ];
}

export interface Summary {
  failures: readonly string[];
  /** The versions of Node.js. */
  versions: readonly string[];
  skipped: readonly string[];
  /** The number of combinations of a function and a version of Node.js that passed, and the number of all combinations. */
  passed: number;
  all: number;
}

/** Returns the first lines of the report of `npm run platform`: the result, the skipped checks, and the failures. */
export function summaryLines({ failures, versions, skipped, passed, all }: Summary): string[] {
  const nodes = `Node.js ${versions.join(" and ")}`;
  const combinations = `${passed} of ${all} combinations`;
  const count = `${skipped.length} ${skipped.length === 1 ? "check" : "checks"}`;
  const success =
    skipped.length === 0
      ? `Every bundle runs as on FunctionGraph with ${nodes}: ${combinations}.`
      : `Every bundle runs with ${nodes}: ${combinations}, without ${count} that this machine does not support.`;
  return [
    failures.length === 0
      ? success
      : `${failures.length} ${failures.length === 1 ? "run" : "runs"} failed with ${nodes}: ${combinations} passed.`,
    ...skipped.map((check) => `Skipped: ${check}.`),
    ...failures.map((failure) => `\n${failure}`),
  ];
}
