import avsc from 'avsc';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { decodeContainer } from './avro-container.ts';
import type { AvroContainer } from './avro-container.ts';

/** Avro schemas with Iceberg's field ids, kept as written because the ids must reach the file. */

export type AvroSchema = string | readonly AvroSchema[] | AvroObject;
export interface AvroObject {
  readonly type: AvroSchema;
  readonly [name: string]: unknown;
}

export interface AvroField {
  readonly name: string;
  readonly type: AvroSchema;
  readonly 'field-id': number;
  readonly default?: null;
}

export function field(name: string, type: AvroSchema, id: number): AvroField {
  return { name, type, 'field-id': id };
}

export function optional(name: string, type: AvroSchema, id: number): AvroField {
  return { name, type: ['null', type], default: null, 'field-id': id };
}

export function record(name: string, fields: readonly AvroField[]): AvroObject {
  return { type: 'record', name, fields };
}

export function list(items: AvroSchema, elementId: number): AvroObject {
  return { type: 'array', items, 'element-id': elementId };
}

/** A map with integer keys: Avro has none, so it is an array of key and value. */
export function intMap(keyId: number, valueId: number, value: AvroSchema): AvroObject {
  const entry = record(`k${keyId}_v${valueId}`, [field('key', 'int', keyId), field('value', value, valueId)]);
  return { type: 'array', logicalType: 'map', items: entry };
}

const long = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer): bigint => bytes.readBigInt64LE(),
  toBuffer: (value: bigint): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: (value: number | string): bigint => BigInt(value),
  toJSON: String,
  isValid: (value: unknown): boolean => typeof value === 'bigint',
  compare: (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0),
});

function compile(schema: AvroSchema): avsc.Type {
  return avsc.Type.forSchema(schema as avsc.Schema, { registry: { long }, wrapUnions: false });
}

/** A record type of ours: encodes rows; longs are bigints, bytes are Buffers. */
export class RecordCodec<R> {
  readonly schema: AvroSchema;
  readonly #type: avsc.Type;

  constructor(schema: AvroSchema) {
    this.schema = schema;
    this.#type = compile(schema);
  }

  encode(row: R): Buffer {
    return this.#type.toBuffer(row);
  }
}

function isObject(schema: AvroSchema): schema is AvroObject {
  return typeof schema === 'object' && !Array.isArray(schema);
}

/** Renames the fields of a file's own schema to the names that we use for their ids. Decoding goes by position. */
function renameByFieldId(schema: AvroSchema, names: ReadonlyMap<number, string>): AvroSchema {
  if (Array.isArray(schema)) return (schema as readonly AvroSchema[]).map((branch) => renameByFieldId(branch, names));
  if (!isObject(schema)) return schema;
  if (schema.type === 'array') {
    return { type: 'array', items: renameByFieldId(schema['items'] as AvroSchema, names) };
  }
  if (schema.type !== 'record') return schema;
  const fields = (schema['fields'] as readonly AvroField[]).map((member) => ({
    name: names.get(member['field-id']) ?? member.name,
    type: renameByFieldId(member.type, names),
  }));
  return { type: 'record', name: schema['name'], fields };
}

function collectNames(schema: AvroSchema, names: Map<number, string>): Map<number, string> {
  if (Array.isArray(schema)) for (const branch of schema as readonly AvroSchema[]) collectNames(branch, names);
  else if (isObject(schema)) {
    if (schema.type === 'array') collectNames(schema['items'] as AvroSchema, names);
    for (const member of (schema['fields'] ?? []) as readonly AvroField[]) {
      names.set(member['field-id'], member.name);
      collectNames(member.type, names);
    }
  }
  return names;
}

export interface DecodedRecords<R> {
  readonly metadata: AvroContainer['metadata'];
  readonly rows: readonly R[];
}

/** Reads a file of any writer: by the file's own schema, fields found by their ids, named as in `schema`. */
export function decodeRecords<R>(bytes: Buffer, schema: AvroSchema): DecodedRecords<R> {
  const container = decodeContainer(bytes);
  const text = container.metadata.get('avro.schema');
  if (text === undefined) {
    throw new CdcError('DESTINATION_SCHEMA_INCOMPATIBLE', 'a metadata file of the table cannot be read', {
      details: { reason: 'schema' },
    });
  }
  const type = compile(renameByFieldId(JSON.parse(text), collectNames(schema, new Map())));
  const rows: R[] = [];
  for (const block of container.blocks) {
    let at = 0;
    for (let i = 0; i < block.count; i++) {
      const { value, offset } = type.decode(block.bytes, at);
      rows.push(value as R);
      at = offset;
    }
  }
  return { metadata: container.metadata, rows };
}
