import { cellKind } from './json-cells.ts';
import { field } from './value-fields.ts';
import type { ValueFields } from './value-fields.ts';

/** A shape of record that is known by name and not read by this version. */
export interface ForeignDialect {
  readonly name: string;
  readonly family: 'debezium-json' | 'canal-json' | 'maxwell-json' | 'ogg-json' | 'json';
  readonly recognises: (fields: ValueFields) => boolean;
}

function typeStartsUpperCase(fields: ValueFields): boolean {
  if (!fields.isText(field.type) || fields.start(field.type) === fields.end(field.type)) return false;
  const first = fields.bytes[fields.start(field.type)] as number;
  return first >= 0x41 && first <= 0x5a;
}

/** In the order of the tests; the first that fits is taken. */
export const foreignDialects: readonly ForeignDialect[] = [
  {
    name: 'Flink SQL debezium-json',
    family: 'debezium-json',
    recognises: (fields) => fields.has(field.op) && (fields.has(field.before) || fields.has(field.after)),
  },
  {
    name: 'TiCDC canal-json',
    family: 'canal-json',
    recognises: (fields) => typeStartsUpperCase(fields) && fields.has(field.database) && fields.has(field._tidb),
  },
  {
    name: 'alibaba/canal',
    family: 'canal-json',
    recognises: (fields) => typeStartsUpperCase(fields) && fields.has(field.database) && fields.has(field.isDdl),
  },
  {
    name: 'Maxwell',
    family: 'maxwell-json',
    recognises: (fields) =>
      fields.isText(field.type) && fields.isObject(field.data) && fields.has(field.database) && fields.has(field.table),
  },
  {
    name: 'Flink SQL canal-json',
    family: 'canal-json',
    recognises: (fields) =>
      fields.has(field.type) && fields.cells.kind[field.data] === cellKind.array && !fields.has(field.database),
  },
  {
    name: 'Oracle GoldenGate',
    family: 'ogg-json',
    recognises: (fields) => fields.has(field.op_type),
  },
  {
    name: 'ExtractNewRecordState',
    family: 'json',
    recognises: (fields) => fields.has(field.__deleted) || fields.has(field.__op) || fields.has(field.__table),
  },
];

/** Records of Debezium topics that carry no rows: the name of their kind, else empty. */
export function rowlessKind(fields: ValueFields): string {
  if (fields.has(field.status) && fields.has(field.data_collections)) return 'transaction';
  if (fields.has(field.ddl) && fields.has(field.tableChanges)) return 'schema-change';
  if (!fields.has(field.ts_ms)) return '';
  for (let index = 0; index < fields.cells.kind.length; index++) {
    if (index !== field.ts_ms && fields.has(index)) return '';
  }
  return fields.cells.unknownFields <= 1 ? 'heartbeat' : '';
}
