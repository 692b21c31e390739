// The SDK's signer uses moment for one thing: moment(date?).utcOffset(0).format("YYYYMMDDTHHmmss").
// A property test holds this against moment itself.
module.exports = (date) => {
  const at = date === undefined ? new Date() : new Date(date);
  return {
    utcOffset(minutes) {
      if (minutes !== 0)
        throw new Error(`Expected utcOffset(0) of the SDK's signer; utcOffset(${minutes}) was reached.`);
      return {
        format(pattern) {
          if (pattern !== "YYYYMMDDTHHmmss") {
            throw new Error(`Expected the SDK signer's format YYYYMMDDTHHmmss; "${pattern}" was reached.`);
          }
          return at.toISOString().slice(0, 19).replace(/[-:]/g, "");
        },
      };
    },
  };
};
