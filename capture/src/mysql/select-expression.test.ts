import { describe, expect, it } from 'vitest';

import { binary, column, latin1, utf8mb4 } from './render/row-fixture.ts';
import { quoteIdentifier, selectExpression } from './select-expression.ts';

describe('selectExpression', () => {
  it('quotes any name (T74)', () => {
    expect(quoteIdentifier('a`b.c')).toBe('`a``b.c`');
    expect(selectExpression(column({ name: 'a`b', type: 'long' }))).toBe('`a``b`');
  });

  it.each(['float', 'double'] as const)('%s becomes a double with all its digits (T6)', (type) => {
    expect(selectExpression(column({ type, meta: 8 }))).toBe('`v` * 1e0');
  });

  it.each([
    [utf8mb4, '`v`'],
    [45, '`v`'],
    [binary, '`v`'],
    [latin1, 'CAST(`v` AS BINARY)'],
    [33, 'CAST(`v` AS BINARY)'],
    [28, 'CAST(`v` AS BINARY)'],
  ])('text of collation %i keeps its own bytes (T29)', (collation, expression) => {
    for (const type of ['varchar', 'string', 'blob'] as const) {
      expect(selectExpression(column({ type, meta: 2, collation }))).toBe(expression);
    }
  });

  it('labels come in the charset of the connection', () => {
    expect(selectExpression(column({ type: 'enum', meta: 1, labels: ['a'], collation: latin1 }))).toBe('`v`');
  });
});
