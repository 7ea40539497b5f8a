import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import type { TestRecord } from './fetched-records.ts';

export type Row = Readonly<Record<string, unknown>>;

export const customers: TableSchema = tableSchema({
  id: { namespace: '', schema: 'shop', table: 'customers' },
  columns: ['id', 'name'].map((name) => ({
    name,
    type: name === 'id' ? ({ kind: 'int' } as const) : ({ kind: 'varchar', length: 20 } as const),
    nullable: name !== 'id',
    sourceType: null,
    comment: null,
    defaultValue: null,
    generated: false,
  })),
  primaryKey: ['id'],
  comment: null,
});

/** Writes records as capture does, with rising position tokens. */
export class CustomerHistory {
  readonly rows = new Map<number, Row>();
  #position = 1;

  change(op: string, before: Row | null, after: Row | null, headers: Record<string, string> = {}): TestRecord {
    const key = after ?? before ?? {};
    const position = (this.#position++).toString(16).padStart(16, '0');
    return {
      key: `{"TableId":"shop.customers","id":${JSON.stringify(key['id'] ?? null)}}`,
      value: JSON.stringify({ before, after, op, source: { db: 'shop', table: 'customers', ts_ms: 5000 } }),
      headers: {
        'mr.src': 'shop',
        'mr.pos': `0001.00000001.${position}.00000000`,
        'mr.schema': customers.fingerprint,
        ...headers,
      },
    };
  }

  /** Writes or overwrites a row. */
  set(id: number, name: string): TestRecord {
    const before = this.rows.get(id) ?? null;
    const after = { id, name };
    this.rows.set(id, after);
    return this.change(before === null ? 'c' : 'u', before, after);
  }

  /** Nothing when there is no such row. */
  remove(id: number): readonly TestRecord[] {
    const before = this.rows.get(id);
    this.rows.delete(id);
    return before === undefined ? [] : [this.change('d', before, null)];
  }

  sorted(): readonly Row[] {
    return sortedById([...this.rows.values()]);
  }
}

export function sortedById(rows: readonly object[]): readonly Row[] {
  return (rows as readonly Row[]).toSorted((a, b) => Number(a['id']) - Number(b['id']));
}
