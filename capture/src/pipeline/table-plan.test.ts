import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableSchema } from '@millrace/shared/event/schema.ts';
import { debeziumJsonFrame } from '@millrace/shared/format/debezium-json-frame.ts';
import { expect, test } from 'vitest';

import { plainValues } from '../testing/plain-values.ts';
import { planTable } from './table-registry.ts';
import type { TableRegistryOptions } from './table-registry.ts';

const schema = tableSchema({
  id: { namespace: '', schema: 'db', table: 't' },
  columns: ['a', 'b', 'c'].map((name) => ({
    name,
    type: { kind: 'int' },
    nullable: false,
    sourceType: 'int',
    comment: null,
    defaultValue: null,
    generated: false,
  })),
  primaryKey: ['a', 'b'],
  comment: null,
});

function options(columns: readonly string[] | null, primaryKeys: readonly string[] | null): TableRegistryOptions {
  return {
    sourceName: 's',
    route: { topic: null, mapping: [], prefix: null },
    routed: (id) => id,
    rule: () => ({ columns, primaryKeys }),
    strategy: () => 'all-to-zero',
    keyFormat: 'json',
    frame: (id) => debeziumJsonFrame(id, { flavour: 'vvr', snapshotOp: 'c', fullTableId: false }),
    values: plainValues,
    tableIdHeaders: false,
    customHeaders: [],
    positionHeaders: true,
    tombstones: false,
    changedOldOnly: false,
  };
}

function refusal(columns: readonly string[], primaryKeys: readonly string[] | null): CdcError {
  try {
    planTable(schema, options(columns, primaryKeys));
  } catch (error) {
    if (error instanceof CdcError) return error;
    throw error;
  }
  throw new Error('planned');
}

test('a projection without a column of the source key stops the table and names the column', () => {
  const error = refusal(['b', 'c'], null);
  expect(error).toMatchObject({ code: 'SOURCE_SCHEMA_UNSUPPORTED', details: { table: 'db.t', columns: ['a'] } });
  expect(error.policy.retry).toBe('table');
  expect(error.hint).toContain('transform.primary-keys');
});

test('a declared key replaces the key of the source, which may then be left out', () => {
  expect(planTable(schema, options(['c', 'b'], ['c']))).toMatchObject({ columns: ['c', 'b'], keyColumns: ['c'] });
});

test('columns and keys that the table lacks stop it', () => {
  expect(refusal(['a', 'b', 'x'], null).details).toMatchObject({ option: 'projection', columns: ['x'] });
  expect(refusal(['a', 'b'], ['y']).details).toMatchObject({ option: 'primary-keys', columns: ['y'] });
});
