import { parseLogicalType } from '@millrace/shared/event/logical-type.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { jsonText } from '@millrace/shared/format/json-text.ts';

interface OrderColumn {
  readonly name: string;
  readonly logical: string;
  /** Type of the column in PostgreSQL. */
  readonly target: string;
  readonly nullable: boolean;
  /** The cell's JSON text in version `version` of row `id`. */
  readonly json: (id: number, version: number) => string;
}

function stamp(micros: number, digits: number): string {
  const iso = new Date(1_577_836_800_000 + Math.floor(micros / 1000)).toISOString();
  const fraction = iso.slice(20, 23) + String(Math.floor(micros) % 1000).padStart(3, '0');
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}.${fraction.slice(0, digits)}`;
}

function column(
  name: string,
  logical: string,
  target: string,
  json: (id: number, version: number) => string,
  nullable = false,
): OrderColumn {
  return { name, logical, target, nullable, json };
}

const states = ['new', 'paid', 'shipped', 'returned'];
const names = ['Zoë "the fox"', '李小龙', 'Anna Müller', 'Bob Stone'];

/** The 20 mixed columns of the benchmarks' orders table, as capture prints them. */
export const orderColumns: readonly OrderColumn[] = [
  column('id', 'DECIMAL(20, 0)', 'numeric(20,0)', (id) => String(id)),
  column('customer_id', 'BIGINT', 'bigint', (id) => String(id * 1_000_003)),
  column('reference', 'VARCHAR(32)', 'text', (id) => `"R${String(id).padStart(12, '0')}"`),
  column('total', 'DECIMAL(18, 4)', 'numeric(18,4)', (id, version) =>
    ((id % 100_000) / 16 + 1.25 * version).toFixed(4),
  ),
  column(
    'discount',
    'DECIMAL(18, 4)',
    'numeric(18,4)',
    (id) => (id % 10 === 0 ? 'null' : ((id % 997) / 64).toFixed(4)),
    true,
  ),
  column('items', 'INT', 'integer', (id) => String(id % 90)),
  column('warehouse', 'INT', 'integer', (id) => String(id)),
  column('score', 'DOUBLE', 'double precision', (id, version) => String(id / (1024 * 3 ** version))),
  column('status', 'VARCHAR(8)', 'text', (id, version) => jsonText(states[(id + version) % 4] ?? '')),
  column('paid', 'BOOLEAN', 'boolean', (id) => String(id % 2 === 0)),
  column('placed_at', 'TIMESTAMP(6)', 'timestamp(6)', (id) => `"${stamp(id * 997_003, 6)}"`),
  column('paid_at', 'TIMESTAMP_LTZ(3)', 'timestamptz(3)', (id) => `"${stamp((id % 90_000) * 1e9, 3)}Z"`),
  column(
    'ship_on',
    'DATE',
    'date',
    (id) => (id % 5 === 0 ? 'null' : `"${stamp((id % 900) * 864e8, 0).slice(0, 10)}"`),
    true,
  ),
  column('name', 'VARCHAR(100)', 'text', (id) => jsonText(`${names[id % 4]} ${id}`)),
  column('street', 'VARCHAR(120)', 'text', (id) => jsonText(`Straße ${id % 5000}, "Köln"`)),
  column('url', 'VARCHAR(255)', 'text', (id) =>
    jsonText(`https://shop.example/orders/${id}?source=mail&campaign=${id % 77}`),
  ),
  column(
    'note',
    'STRING',
    'text',
    (id) => (id % 2 === 0 ? 'null' : jsonText(`first line\nsecond line ${id} of a note`)),
    true,
  ),
  column('detail', 'STRING', 'jsonb', (id) =>
    jsonText(`{"k": ${id}, "s": "v${id}", "ok": true, "list": [1, 2.5, "x"], "n": null}`),
  ),
  column('token', 'VARBINARY(32)', 'bytea', (id) =>
    jsonText(Buffer.from(`token of sixteen${id}`).subarray(-16).toString('base64')),
  ),
  column('channel', 'INT', 'integer', (id) => String(id % 65_536)),
];

export const orders: TableSchema = tableSchema({
  id: { namespace: '', schema: 'shop', table: 'orders' },
  columns: orderColumns.map(({ name, logical, nullable }) => ({
    name,
    type: parseLogicalType(logical),
    nullable,
    sourceType: name === 'detail' ? 'json' : 'int',
    comment: null,
    defaultValue: null,
    generated: false,
  })),
  primaryKey: ['id'],
  comment: null,
});

function image(id: number, version: number): string {
  return `{${orderColumns.map(({ name, json }) => `"${name}":${json(id, version)}`).join(',')}}`;
}

export interface OrderMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Record `number` of capture's stream: `share` of ten are updates of a row that was there, the others new rows. */
export function orderMessage(number: number, share: number): OrderMessage {
  const id = 9_000_000 + number * 7;
  const isUpdate = number % 10 < share;
  const images = isUpdate
    ? `"before":${image(id, 0)},"after":${image(id, 1)}`
    : `"before":null,"after":${image(id, 0)}`;
  const commitMs = 1_728_528_674_000 + Math.floor(number / 600) * 1000;
  return {
    key: `{"TableId":"shop.orders","id":${id}}`,
    value: `{${images},"op":"${isUpdate ? 'u' : 'c'}","source":{"db":"shop","table":"orders","ts_ms":${commitMs}}}`,
    headers: {
      'mr.src': 'shop',
      'mr.pos': `0001.00000001.${(4000 + Math.floor(number / 20) * 9000).toString(16).padStart(16, '0')}.${(number % 20).toString(16).padStart(8, '0')}`,
      'mr.ts': `${commitMs}123`,
      'mr.gtid': `3e11fa47-71ca-11e1-9e33-c80aa9429562:${Math.floor(number / 600)}`,
      'mr.schema': orders.fingerprint,
    },
  };
}
