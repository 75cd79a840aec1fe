// What is the smallest value that fits this JSON schema?

interface JsonSchema {
  type?: string | readonly string[];
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly JsonSchema[];
  oneOf?: readonly JsonSchema[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  items?: JsonSchema;
  minItems?: number;
  minLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  default?: unknown;
}

/** Deterministic; patterns and formats are not tried. An absent schema gives `{}`. */
export function sampleOf(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return {};
  const node = schema as JsonSchema;
  if (node.const !== undefined) return node.const;
  if (node.enum !== undefined) return node.enum[0];
  if (node.default !== undefined) return node.default;
  const either = node.anyOf ?? node.oneOf;
  if (either !== undefined) return sampleOf(either[0]);
  const type = Array.isArray(node.type) ? (node.type as readonly string[])[0] : node.type;
  switch (type) {
    case 'string':
      return 'sample '.repeat(Math.ceil((node.minLength ?? 1) / 7)).trimEnd();
    case 'integer':
      return Math.max(node.minimum ?? 0, node.exclusiveMinimum === undefined ? 0 : node.exclusiveMinimum + 1);
    case 'number':
      return Math.max(
        node.minimum ?? 0,
        node.exclusiveMinimum === undefined ? 0 : node.exclusiveMinimum + 0.5,
      );
    case 'boolean':
      return false;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: node.minItems ?? 0 }, () => sampleOf(node.items));
    default:
      return Object.fromEntries(
        (node.required ?? []).map((name) => [name, sampleOf(node.properties?.[name])]),
      );
  }
}
