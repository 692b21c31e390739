// The SDK's signer uses moment only to format the time of the request: moment().utcOffset(0).format("YYYYMMDDTHHmmss"). A
// property test compares the signature with the unchanged signer.
const only = require("./only.cjs");

const check = (what, got, expected) => {
  if (got !== expected)
    throw new Error(`Expected the SDK's signer to call ${what}(${expected ?? ""}), got ${what}(${got}).`);
};

module.exports = only("moment", (date) => {
  check("moment", date);
  return only("moment()", {
    utcOffset(minutes) {
      check("utcOffset", minutes, 0);
      return only("moment().utcOffset(0)", {
        format(pattern) {
          check("format", pattern, "YYYYMMDDTHHmmss");
          return new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
        },
      });
    },
  });
});
