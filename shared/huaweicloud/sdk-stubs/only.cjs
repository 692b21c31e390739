/**
 * Creates a stub of an SDK dependency that has only the given members. If the SDK uses another member, for example after an
 * update of the SDK, the stub throws an error.
 *
 * @param what the name of the replaced dependency, for the error message
 */
module.exports = (what, members) =>
  new Proxy(members, {
    get(target, name) {
      if (name in target || typeof name === "symbol" || name === "__esModule" || name === "default")
        return target[name];
      const allowed = Object.keys(target).join(" and ") || "a call";
      throw new Error(`Expected the SDK to use only ${allowed} of ${what}, got ${what}.${name}.`);
    },
  });
