/** Trims the schema that `terraform providers schema -json` prints to the types that the module uses. */
import { type Documented, SCHEMA } from "../schema.ts";
import type { BuiltProvider } from "./build-provider.ts";

/** The file with the trimmed schema. `npm run test:terraform -- --write` writes it. */
export const PRINTED_SCHEMA_FILE = "test/infra/terraform/provider/printed-schema.json";

/** An attribute or a nested block. */
export interface PrintedArgument {
  /** The type in Terraform's own notation, such as "string" or ["map","string"]. A block has no type. */
  type?: unknown;
  required?: true;
  optional?: true;
  computed?: true;
  block?: Record<string, PrintedArgument>;
}

export interface PrintedSchema {
  version: string;
  /** The checksum of the Go module, as in `go.sum`. */
  checksum: string;
  provider: Record<string, PrintedArgument>;
  resources: Record<string, Record<string, PrintedArgument>>;
  data: Record<string, Record<string, PrintedArgument>>;
}

interface Block {
  attributes?: Record<string, PrintedArgument>;
  block_types?: Record<string, { block: Block; min_items?: number }>;
}

/** Returns the text of `PRINTED_SCHEMA_FILE`. */
export function trimSchema(
  printed: string,
  { version, checksum }: Pick<BuiltProvider, "version" | "checksum">,
): string {
  const [schema] = Object.values(JSON.parse(printed).provider_schemas) as {
    provider: { block: Block };
    resource_schemas: Record<string, { block: Block }>;
    data_source_schemas: Record<string, { block: Block }>;
  }[];
  if (schema === undefined) throw new Error("expected the schema of one provider, got none.");
  const pick = (types: Record<string, Documented>, from: Record<string, { block: Block }>) =>
    Object.fromEntries(
      Object.keys(types).map((type) => [type, from[type] === undefined ? {} : trimBlock(from[type].block)]),
    );
  const trimmed: PrintedSchema = {
    version,
    checksum,
    provider: trimBlock(schema.provider.block),
    resources: pick(SCHEMA.resources, schema.resource_schemas),
    data: pick(SCHEMA.data, schema.data_source_schemas),
  };
  return `${JSON.stringify(trimmed, null, 2)}\n`;
}

function trimBlock({ attributes = {}, block_types: blocks = {} }: Block): Record<string, PrintedArgument> {
  const trimmed = [
    ...Object.entries(attributes).map(([name, { type, required, optional, computed }]) => [
      name,
      { type, ...(required && { required }), ...(optional && { optional }), ...(computed && { computed }) },
    ]),
    ...Object.entries(blocks).map(([name, { block, min_items: minItems = 0 }]) => [
      name,
      { ...(minItems > 0 ? { required: true } : { optional: true }), block: trimBlock(block) },
    ]),
  ] as [string, PrintedArgument][];
  return Object.fromEntries(trimmed.sort(([a], [b]) => (a < b ? -1 : 1)));
}
