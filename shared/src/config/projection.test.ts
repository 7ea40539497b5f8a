import { describe, expect, it } from 'vitest';

import { parseColumnNames, parseProjection } from './projection.ts';

describe('projection', () => {
  it.each([String.raw`\*`, '*', String.raw` \* `])('%s is all columns', (text) => {
    expect(parseProjection(text)).toEqual({ ok: true, value: null });
  });

  it.each([
    ['id, name', ['id', 'name']],
    ['`a b`,`x``y`, ünï', ['a b', 'x`y', 'ünï']],
    ['_a$1', ['_a$1']],
  ])('%s freezes the columns', (text, columns) => {
    expect(parseProjection(text)).toEqual({ ok: true, value: columns });
  });

  it.each(['id, upper(name) AS n', 'a AS b', '1', "'x' AS y", String.raw`\*, id`, '__schema_name__', 't.id', 'a b'])(
    'refuses %s as unsupported',
    (text) => {
      expect(parseProjection(text)).toMatchObject({ ok: false, kind: 'unsupported' });
    },
  );

  it.each(['', 'a,', ',a', 'a,,b', 'a, a'])('refuses %j as syntax', (text) => {
    const result = parseProjection(text);
    expect(result.ok || result.kind).toBeUndefined();
  });

  it('reads key lists with the same names', () => {
    expect(parseColumnNames('a, `b c`')).toEqual({ ok: true, value: ['a', 'b c'] });
    for (const text of ['', '*', 'a b', 'upper(a)']) expect(parseColumnNames(text).ok).toBe(false);
  });
});
