// Replaces the package moment. The SDK's signer uses moment only to format the request time:
// moment().utcOffset(0).format("YYYYMMDDTHHmmss"). A property test checks that the signatures are equal to the signatures of the
// unchanged signer.
const only = require("./only.cjs");

const checkArgument = (functionName, actual, expected) => {
  if (actual !== expected)
    throw new Error(
      `Expected the SDK's signer to call ${functionName}(${expected ?? ""}), got ${functionName}(${actual}).`,
    );
};

module.exports = only("moment", (date) => {
  checkArgument("moment", date);
  return only("moment()", {
    utcOffset(minutes) {
      checkArgument("utcOffset", minutes, 0);
      return only("moment().utcOffset(0)", {
        format(pattern) {
          checkArgument("format", pattern, "YYYYMMDDTHHmmss");
          return new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
        },
      });
    },
  });
});
