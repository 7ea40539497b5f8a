/** Schemas as the table metadata holds them (Iceberg specification, appendix C). */

export interface ListType {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly element: string;
  readonly 'element-required': boolean;
}

/** A primitive's name, such as `long` or `decimal(18, 2)`, or a list of primitives. */
export type IcebergType = string | ListType;

export interface IcebergField {
  readonly id: number;
  readonly name: string;
  readonly required: boolean;
  readonly type: IcebergType;
  readonly doc?: string;
}

export interface IcebergSchema {
  readonly type: 'struct';
  readonly 'schema-id': number;
  readonly 'identifier-field-ids'?: readonly number[];
  readonly fields: readonly IcebergField[];
}

export type PrimitiveType =
  | {
      readonly kind:
        | 'boolean'
        | 'int'
        | 'long'
        | 'float'
        | 'double'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
        | 'string'
        | 'uuid'
        | 'binary';
    }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

const plainKinds = new Set<string>([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
]);

/** Null for types that this writer does not write. */
export function parsePrimitive(text: string): PrimitiveType | null {
  if (plainKinds.has(text)) return { kind: text } as PrimitiveType;
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(text);
  if (decimal === null) return null;
  return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) };
}

export function elementType(type: IcebergType): string {
  return typeof type === 'string' ? type : type.element;
}

/** Equal apart from the ids inside. */
export function sameType(a: IcebergType, b: IcebergType): boolean {
  const sameNesting = (typeof a === 'string') === (typeof b === 'string');
  return sameNesting && elementType(a).replaceAll(' ', '') === elementType(b).replaceAll(' ', '');
}

/** The highest id a field uses: its own or its list element's. */
export function highestId(field: IcebergField): number {
  return typeof field.type === 'string' ? field.id : Math.max(field.id, field.type['element-id']);
}
