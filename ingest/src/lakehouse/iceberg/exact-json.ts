/**
 * JSON whose integers keep all digits: snapshot ids of other writers use 63 bits. Numbers beyond ±2^53 are bigints in
 * memory and plain digits on disk.
 */

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

interface SourceContext {
  readonly source?: string;
}
type Reviver = (key: string, value: unknown, context: SourceContext) => unknown;

const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

export function parseExactJson(text: string): Json {
  return parseWithSource(text, (_key, value, context) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
      ? BigInt(context.source ?? '')
      : value,
  ) as Json;
}

export function printExactJson(value: Json): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'bigint' ? rawJSON(String(member)) : member,
  );
}
