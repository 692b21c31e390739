/** Plans infra/terraform with invalid values of its variables. */
import { describe, expect, test } from "vitest";
import { EVERYTHING } from "./everything.ts";
import { INVALID_VARIABLES, policiesWith, variablesWith } from "./invalid-variables.ts";
import { planOf, sources } from "./plan.ts";

/** The beginning of the only message that depends on the account instead of a variable. values.test.ts tests it. */
const DEPENDS_ON_ACCOUNT = "alarm.user_name: LTS sends";

describe("invalid variables", () => {
  test("INVALID_VARIABLES violates each validation and precondition of the Terraform module that depends only on variables", async () => {
    const plans = INVALID_VARIABLES.map(([, changes]) => planOf(sources(), variablesWith(changes)));
    const refusals = (await Promise.all(plans)).flatMap((plan) => plan.refusals);
    const BLOCK = /(?:validation|precondition) \{[\s\S]*?error_message = "(.*)"\n/g;
    const messages = Object.values(sources()).flatMap((text) => [...text.matchAll(BLOCK)].map(([, one = ""]) => one));
    // A message begins with the name of a variable, and often contains values between ${ and }.
    const isRejected = (message: string) =>
      refusals.some((refusal) =>
        message
          .replaceAll('\\"', '"')
          .split(/\$\{[^}]*\}/)
          .every((part) => refusal.includes(part)),
      );
    expect(messages.length).toBeGreaterThan(30);
    expect(messages.filter((one) => !one.startsWith(DEPENDS_ON_ACCOUNT) && !isRejected(one))).toEqual([]);
  });

  test.each(INVALID_VARIABLES)("the Terraform module rejects %s", async (_name, changes, message) => {
    const { refusals } = await planOf(sources(), variablesWith(changes));
    expect(refusals.join("\n")).toMatch(message);
  });

  test("the Terraform module accepts a user_event of 2,047 bytes and rejects a user_event of 2,048 bytes", async () => {
    const sizes: number[] = [];
    for (let length = 1_860; length < 1_960; length += 1) {
      const { refusals, outputs } = await planOf(sources(), {
        ...EVERYTHING,
        ...policiesWith({ hold: ["ü".repeat(20) + "x".repeat(length - 200)] }),
      });
      const size = outputs.user_event_bytes.take_nightly;
      sizes.push(size);
      expect(refusals.length > 0, String(size)).toBe(size >= 2_048);
    }
    expect(sizes).toContain(2_047);
    expect(sizes).toContain(2_048);
  });
});
