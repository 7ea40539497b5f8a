import { printLogicalType } from '@millrace/shared/event/logical-type.ts';
import { cellKind } from '@millrace/shared/format/json-cells.ts';
import { describe, expect, it } from 'vitest';

import { inferType } from './infer-type.ts';
import { InferredColumns } from './inferred-columns.ts';
import type { InferenceRules } from './inferred-columns.ts';

function number(literal: string): string {
  const type = inferType(cellKind.number, literal, false);
  return type === null ? 'none' : printLogicalType(type);
}

describe('a number', () => {
  it.each([
    ['0', 'BIGINT'],
    ['-9223372036854775808', 'BIGINT'],
    ['9223372036854775807', 'BIGINT'],
    ['9223372036854775808', 'DECIMAL(19, 0)'],
    ['18446744073709551615', 'DECIMAL(20, 0)'],
    ['1'.repeat(38), 'DECIMAL(38, 0)'],
    ['1'.repeat(39), 'STRING'],
    ['1.50', 'DECIMAL(3, 2)'],
    ['0.001', 'DECIMAL(3, 3)'],
    ['1E+1', 'DECIMAL(2, 0)'],
    ['1.5e-3', 'DECIMAL(4, 4)'],
    ['1e300', 'DOUBLE'],
    ['1.7976931348623157e308', 'DOUBLE'],
    ['1e400', 'STRING'],
    [`0.${'1'.repeat(40)}`, 'STRING'],
  ])('%s is %s', (literal, type) => {
    expect(number(literal)).toBe(type);
  });
});

function columnsAfter(rows: readonly string[], rules: Partial<InferenceRules> = {}): InferredColumns {
  const columns = new InferredColumns([], false, {
    strategy: 'continuous',
    primitiveAsString: false,
    preFetchRecords: 2,
    ...rules,
  });
  for (const row of rows) columns.observe(Buffer.from(row), 0, Buffer.byteLength(row));
  return columns;
}

function printed(columns: InferredColumns): readonly string[] {
  return columns.columns.map((column) => `${column.name} ${printLogicalType(column.type)}`);
}

describe('columns', () => {
  it('wait for their first value and come in the order of their appearance', () => {
    const rows = ['{"a":null,"b":1}', '{"a":null,"c":"x","b":2}', '{"a":true}'];
    expect(printed(columnsAfter(rows))).toStrictEqual(['b BIGINT', 'c STRING', 'a BOOLEAN']);
  });

  it('grow to the common type of their values, and only then', () => {
    expect(printed(columnsAfter(['{"a":1}', '{"a":2.5}']))).toStrictEqual(['a DECIMAL(20, 1)']);
    expect(printed(columnsAfter(['{"a":1}', '{"a":"x"}']))).toStrictEqual(['a STRING']);
    const columns = columnsAfter(['{"a":1,"d":"x"}']);
    const same = Buffer.from('{"d":"a\\nb","a":123456789012345678}');
    expect(columns.observe(same, 0, same.length)).toBe(false);
  });

  it('stay as they are after the pre-fetch where the strategy is static', () => {
    const columns = columnsAfter(['{"a":1}', '{"b":1}', '{"a":"x","c":1}'], { strategy: 'static' });
    expect(printed(columns)).toStrictEqual(['a BIGINT', 'b BIGINT']);
    expect(columns.ignoredFields).toBe(1);
  });

  it('are text where all primitives shall be', () => {
    expect(printed(columnsAfter(['{"a":1,"b":true}'], { primitiveAsString: true }))).toStrictEqual([
      'a STRING',
      'b STRING',
    ]);
  });
});
