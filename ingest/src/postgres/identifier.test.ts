import { expect, test } from 'vitest';

import { fitIdentifier, nameColumns, nameTarget, quoteIdentifier, quoteLiteral } from './identifier.ts';

const rules = { schema: '{schema}', tablePrefix: '', tableSuffix: '' };

test('names are quoted whatever they hold (T74, T159)', () => {
  expect(quoteIdentifier('Order "x".select')).toBe('"Order ""x"".select"');
  expect(quoteLiteral(String.raw`it's \n`)).toBe(String.raw` E'it''s \\n'`);
});

test('names of up to 63 bytes stay; longer ones keep 54 bytes at most and a hash of the whole (T75)', () => {
  expect(fitIdentifier('a'.repeat(63))).toBe('a'.repeat(63));
  const fitted = fitIdentifier('a'.repeat(64));
  expect(fitted).toMatch(/^a{54}_[0-9a-f]{8}$/);
  expect(fitIdentifier(`${'a'.repeat(64)}b`)).not.toBe(fitted);
});

test('long names are cut between characters', () => {
  const fitted = fitIdentifier('é€😀'.repeat(10));
  expect(Buffer.byteLength(fitted)).toBeLessThanOrEqual(63);
  expect(fitted.isWellFormed()).toBe(true);
  expect(fitted).not.toContain('\ufffd');
});

test.each(['', 'a\0b'])('%j cannot be a name', (name) => {
  expect(() => fitIdentifier(name)).toThrow('a name cannot be an identifier of PostgreSQL');
});

test('the schema is a template or a literal; prefix and suffix frame the table', () => {
  expect(nameTarget({ schema: 'Shop', table: 'a.b' }, rules).sql).toBe('"Shop"."a.b"');
  expect(nameTarget({ schema: '', table: 't' }, rules).sql).toBe('"public"."t"');
  expect(
    nameTarget({ schema: 'shop', table: 't' }, { schema: 'x_{schema}', tablePrefix: 'a_', tableSuffix: '_z' }).sql,
  ).toBe('"x_shop"."a_t_z"');
  expect(nameTarget({ schema: '$&', table: 't' }, rules).schema).toBe('$&');
});

test('two columns that would meet under one name are refused', () => {
  expect(nameColumns(['a', 'A'])).toEqual(['a', 'A']);
  const long = 'x'.repeat(70);
  expect(() => nameColumns([long, fitIdentifier(long)])).toThrow('two columns have one name');
});
