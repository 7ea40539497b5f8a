import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { RenderSpec } from '../../source.ts';
import type { MysqlTable } from '../column.ts';
import { compileRenderer } from './compile.ts';
import {
  binary,
  binlogRows,
  column,
  defaultValues,
  image,
  latin1,
  prefixed,
  presentBits,
  renderAll,
  spec,
  table,
  textRows,
  utf8mb4,
} from './row-fixture.ts';
import type { Rendered } from './row-fixture.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

function int(value: number): Buffer {
  const cell = Buffer.alloc(4);
  cell.writeInt32LE(value);
  return cell;
}

const customers = table(
  [
    column({ name: 'id', type: 'long' }),
    column({ name: 'name', type: 'varchar', meta: 400, collation: utf8mb4 }),
    column({ name: 'note', type: 'blob', meta: 2, collation: utf8mb4 }),
  ],
  ['id'],
);

const text = (value: string): Buffer => prefixed(2, value);
const row = (id: number, name: string | null, note: string | null): Buffer =>
  image([int(id), name === null ? null : text(name), note === null ? null : text(note)]);

function render(
  of: MysqlTable,
  op: 'create' | 'update' | 'delete',
  images: Buffer[],
  parts: Partial<RenderSpec> = {},
): Rendered[] {
  return renderAll(compileRenderer(of, spec(of, parts), 'stream'), binlogRows(of, op, images));
}

describe('row images', () => {
  it('an insert has an after image and its key', () => {
    expect(render(customers, 'create', [row(4, 'John', null)])).toEqual([
      {
        before: null,
        after: '{"id":4,"name":"John","note":null}',
        beforeKey: null,
        afterKey: '{"TableId":"shop.orders","id":4}',
        keyChanged: false,
        unavailable: null,
      },
    ]);
  });

  it('a delete has a before image and the key of the row that went', () => {
    expect(render(customers, 'delete', [row(4, 'John', null)])).toEqual([
      {
        before: '{"id":4,"name":"John","note":null}',
        after: null,
        beforeKey: '{"TableId":"shop.orders","id":4}',
        afterKey: null,
        keyChanged: false,
        unavailable: null,
      },
    ]);
  });

  it('an update of an unchanged key has one key for both images', () => {
    const [rendered] = render(customers, 'update', [row(4, 'John', 'a'), row(4, 'Jane', 'a')]);
    expect(rendered).toMatchObject({
      before: '{"id":4,"name":"John","note":"a"}',
      after: '{"id":4,"name":"Jane","note":"a"}',
      beforeKey: '{"TableId":"shop.orders","id":4}',
      afterKey: '{"TableId":"shop.orders","id":4}',
      keyChanged: false,
    });
  });

  it('a changed key is told, with both keys (T33)', () => {
    const [rendered] = render(customers, 'update', [row(4, 'John', 'a'), row(5, 'John', 'a')]);
    expect(rendered).toMatchObject({
      beforeKey: '{"TableId":"shop.orders","id":4}',
      afterKey: '{"TableId":"shop.orders","id":5}',
      keyChanged: true,
    });
  });

  it('rows of one event follow each other', () => {
    const rows = render(customers, 'create', [row(1, 'a', 'b'), row(2, null, null), row(3, '', '')]);
    expect(rows.map((rendered) => rendered.after)).toEqual([
      '{"id":1,"name":"a","note":"b"}',
      '{"id":2,"name":null,"note":null}',
      '{"id":3,"name":"","note":""}',
    ]);
  });

  it('only the asked columns are written, in the asked order', () => {
    const [rendered] = render(customers, 'create', [row(1, 'a', 'b')], {
      columns: ['note', 'id'],
      keyColumns: ['name'],
    });
    expect(rendered).toMatchObject({ after: '{"note":"b","id":1}', afterKey: '{"TableId":"shop.orders","name":"a"}' });
  });

  it('null fields are left out on request', () => {
    const values = { ...defaultValues, ignoreNullFields: true };
    const rows = render(customers, 'create', [row(1, null, 'b'), row(2, null, null)], { values });
    expect(rows.map((rendered) => rendered.after)).toEqual(['{"id":1,"note":"b"}', '{"id":2}']);
    const none = render(customers, 'create', [row(1, null, null)], { values, columns: ['name', 'note'] });
    expect(none[0]?.after).toBe('{}');
  });

  it('a zero date that becomes null is left out with the nulls', () => {
    const dates = table([column({ name: 'd', type: 'date' }), column({ name: 'n', type: 'long' })]);
    const values = { ...defaultValues, ignoreNullFields: true };
    expect(render(dates, 'create', [image([hex('000000'), int(1)])], { values })[0]?.after).toBe('{"n":1}');
  });

  it('names are escaped like values (T74)', () => {
    const odd = table([column({ name: 'a"b\\`.:é', type: 'long' })]);
    expect(render(odd, 'create', [image([int(1)])])[0]?.after).toBe('{"a\\"b\\\\`.:é":1}');
  });

  it.each([1, 7, 8, 9, 16, 64, 228, 1000])('null bits of %i columns belong to their columns (T45)', (count) => {
    const wide = table(Array.from({ length: count }, (_, index) => column({ name: `c${index}`, type: 'long' })));
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: count, maxLength: count }), (nulls) => {
        const cells = nulls.map((isNull, index) => (isNull ? null : int(index)));
        const expected = Object.fromEntries(nulls.map((isNull, index) => [`c${index}`, isNull ? null : index]));
        expect(JSON.parse(render(wide, 'create', [image(cells)])[0]?.after ?? '')).toEqual(expected);
      }),
      { numRuns: 20 },
    );
  });
});

describe('damaged row areas', () => {
  const corrupt = expect.objectContaining({ code: 'SOURCE_LOG_CORRUPT' });
  it('a row that ends beyond its event stops the stream', () => {
    const whole = row(1, 'abc', 'def');
    for (let length = 1; length < whole.length; length++) {
      expect(() => render(customers, 'create', [whole.subarray(0, length)])).toThrow(corrupt);
    }
  });

  it('bytes left over after the last row stop the stream', () => {
    expect(() => render(customers, 'create', [row(1, 'a', 'b'), Buffer.from([0])])).toThrow(corrupt);
  });

  it('an update without its after image stops the stream', () => {
    expect(() => render(customers, 'update', [row(1, 'a', 'b')])).toThrow(corrupt);
  });

  it('a result row of another width stops the snapshot', () => {
    const renderer = compileRenderer(customers, spec(customers), 'snapshot');
    const short = textRows(customers, [[Buffer.from('1'), Buffer.from('a')]]);
    expect(() => renderAll(renderer, short)).toThrow(corrupt);
    const long = textRows(customers, [[Buffer.from('1'), null, null, null]]);
    expect(() => renderAll(renderer, long)).toThrow(corrupt);
  });
});

describe('snapshot rows', () => {
  it('have an after image and a key', () => {
    const renderer = compileRenderer(customers, spec(customers), 'snapshot');
    const rows = renderAll(renderer, textRows(customers, [[Buffer.from('4'), Buffer.from('John'), null]]));
    expect(rows).toEqual([
      {
        before: null,
        after: '{"id":4,"name":"John","note":null}',
        beforeKey: null,
        afterKey: '{"TableId":"shop.orders","id":4}',
        keyChanged: false,
        unavailable: null,
      },
    ]);
  });
});

describe('keys', () => {
  const key = (of: MysqlTable, cells: (Buffer | null)[], parts: Partial<RenderSpec> = {}): string | null | undefined =>
    render(of, 'create', [image(cells)], parts)[0]?.afterKey;

  it('stand in key order, not in table order', () => {
    const of = table(
      [column({ name: 'line_no', type: 'long' }), column({ name: 'order_id', type: 'long' })],
      ['order_id', 'line_no'],
    );
    expect(key(of, [int(2), int(7)])).toBe('{"TableId":"shop.orders","order_id":7,"line_no":2}');
  });

  it('without columns are the prefix alone (T35)', () => {
    expect(key(customers, [int(1), null, null], { keyColumns: [] })).toBe('{"TableId":"shop.orders"}');
    expect(key(customers, [int(1), null, null], { keyColumns: [], keyPrefix: Buffer.from('{') })).toBe('{}');
  });

  it('of flavour debezium have the columns alone', () => {
    expect(key(customers, [int(4), null, null], { keyPrefix: Buffer.from('{') })).toBe('{"id":4}');
  });

  it('decimals lose their trailing zeros there, not in the row (T39, T181)', () => {
    const scaled = table([column({ name: 'k', type: 'decimal', meta: 10, scale: 2 })], ['k']);
    expect(render(scaled, 'create', [image([hex('8000000100')])])[0]).toMatchObject({
      after: '{"k":1.00}',
      afterKey: '{"TableId":"shop.orders","k":1}',
    });
    const four = table([column({ name: 'k', type: 'decimal', meta: 10, scale: 4 })], ['k']);
    expect(key(four, [hex('81e24204ce')])).toBe('{"TableId":"shop.orders","k":123458.123}');
  });

  it('zero dates are text, in the row too (T12)', () => {
    const of = table([column({ name: 'k', type: 'datetime2' }), column({ name: 'd', type: 'datetime2' })], ['k']);
    const zero = hex('8000000000');
    expect(render(of, 'create', [image([zero, zero])])[0]).toMatchObject({
      after: '{"k":"0000-00-00 00:00:00","d":null}',
      afterKey: '{"TableId":"shop.orders","k":"0000-00-00 00:00:00"}',
    });
  });

  it('binary is padded, text is kept as its bytes are (T26, T38)', () => {
    const of = table([column({ name: 'k', type: 'string', meta: 4, collation: binary })], ['k']);
    expect(key(of, [hex('020102')])).toBe('{"TableId":"shop.orders","k":"AQIAAA=="}');
    const names = table([column({ name: 'k', type: 'varchar', meta: 400, collation: utf8mb4 })], ['k']);
    const keys = ['a', 'A', 'a '].map((name) => key(names, [text(name)]));
    expect(new Set(keys).size).toBe(3);
  });

  it.each(['A', 'a ', '', 'b'])("'a' to %j is a key change (T38)", (after) => {
    const names = table([column({ name: 'k', type: 'varchar', meta: 400, collation: utf8mb4 })], ['k']);
    expect(render(names, 'update', [image([text('a')]), image([text(after)])])[0]?.keyChanged).toBe(true);
  });

  it('other source bytes with the same key text are no key change', () => {
    const floats = table([column({ name: 'k', type: 'enum', meta: 1, labels: ['x', 'x'], collation: latin1 })], ['k']);
    expect(render(floats, 'update', [image([hex('01')]), image([hex('02')])])[0]).toMatchObject({
      keyChanged: false,
      afterKey: '{"TableId":"shop.orders","k":"x"}',
    });
  });

  describe('csv', () => {
    const of = table(
      [column({ name: 'id', type: 'long' }), column({ name: 't:x', type: 'varchar', meta: 400, collation: utf8mb4 })],
      ['id', 't:x'],
    );
    it.each([
      ['plain', 'plain'],
      ['two words', '"two words"'],
      ['say "hi"', '"say ""hi"""'],
      ['', ''],
      ['a,b', '"a,b"'],
      ['x'.repeat(24), 'x'.repeat(24)],
      ['x'.repeat(25), `"${'x'.repeat(25)}"`],
      ['2024-01-01', '2024-01-01'],
      ['line\nfeed', '"line\nfeed"'],
    ])('%j is %j', (value, field) => {
      const parts = { keyStyle: 'csv', keyPrefix: Buffer.from('shop.orders') } as const;
      expect(key(of, [int(4), text(value)], parts)).toBe(`shop.orders,4,${field}`);
    });
  });
});

describe('incomplete images', () => {
  function renderPartial(op: 'create' | 'update' | 'delete', ...images: (Buffer | null | undefined)[][]): Rendered[] {
    const bits = images.map(presentBits);
    const area = Buffer.concat(images.map(image));
    const bytes = Buffer.concat([...bits, area]);
    const start = bits.reduce((size, one) => size + one.length, 0);
    const renderer = compileRenderer(customers, spec(customers), 'stream');
    return renderAll(
      renderer,
      binlogRows(customers, op, [], {
        bytes,
        start,
        end: bytes.length,
        presentBefore: 0,
        presentAfter: op === 'update' ? 1 : 0,
        complete: false,
      }),
    );
  }

  it('an unchanged blob of a NOBLOB update is left out and named, never null (T41)', () => {
    const rows = renderPartial('update', [int(1), text('a'), undefined], [int(1), text('b'), undefined]);
    expect(rows).toMatchObject([
      { before: '{"id":1,"name":"a"}', after: '{"id":1,"name":"b"}', unavailable: ['note'], keyChanged: false },
    ]);
  });

  it('a changed blob of a NOBLOB update is in the after image alone', () => {
    const rows = renderPartial('update', [int(1), null, undefined], [int(1), text('b'), text('new')]);
    expect(rows).toMatchObject([
      { before: '{"id":1,"name":null}', after: '{"id":1,"name":"b","note":"new"}', unavailable: null },
    ]);
  });

  it('what the before image has and the after image lacks is unchanged', () => {
    const rows = renderPartial('update', [int(1), text('a'), text('old')], [int(1), text('b'), undefined]);
    expect(rows).toMatchObject([{ after: '{"id":1,"name":"b","note":"old"}', unavailable: null }]);
  });

  it('a delete names the blobs that its image lacks', () => {
    expect(renderPartial('delete', [int(1), text('a'), undefined])).toMatchObject([
      { before: '{"id":1,"name":"a"}', unavailable: ['note'] },
    ]);
  });

  it.each([
    ['create', [[int(1), text('a'), undefined]]],
    ['delete', [[int(1), undefined, undefined]]],
    [
      'update',
      [
        [int(1), undefined, undefined],
        [undefined, text('b'), undefined],
      ],
    ],
  ] as const)('a MINIMAL %s stops the table (T172)', (op, images) => {
    expect(() => renderPartial(op, ...images.map((cells) => [...cells]))).toThrow(
      expect.objectContaining({ code: 'SOURCE_SCHEMA_UNSUPPORTED' }),
    );
  });
});

describe('large cells (T54)', () => {
  const big = table(
    [
      column({ name: 'id', type: 'long' }),
      column({ name: 't', type: 'blob', meta: 4, collation: utf8mb4 }),
      column({ name: 'l', type: 'blob', meta: 4, collation: latin1 }),
      column({ name: 'g', type: 'blob', meta: 4, collation: 28 }),
      column({ name: 'b', type: 'blob', meta: 4, collation: binary }),
    ],
    ['id'],
  );
  const size = 300_000;
  const cells = [
    int(1),
    prefixed(4, 'a"\u0001é'.repeat(size / 5)),
    prefixed(4, Buffer.alloc(size, Buffer.from([0x61, 0xe9, 0x22]))),
    prefixed(4, Buffer.alloc(size, Buffer.from([0xc4, 0xe3]))),
    prefixed(4, Buffer.alloc(size, 0xfe)),
  ];
  const expected = JSON.stringify({
    id: 1,
    t: 'a"\u0001é'.repeat(size / 5),
    l: 'aé"'.repeat(size / 3),
    g: '你'.repeat(size / 2),
    b: Buffer.alloc(size, 0xfe).toString('base64'),
  });

  it('are written whole', () => {
    expect(render(big, 'create', [image(cells)])[0]?.after).toBe(expected);
  });

  it('reserve about what they need, not the worst case', () => {
    const renderer = compileRenderer(big, spec(big), 'stream');
    const out = new ByteWriter(16);
    renderer.open(binlogRows(big, 'create', [image(cells)]));
    renderer.next(out);
    expect(out.bytes.length).toBeLessThan(expected.length * 2 + 4096);
  });

  it('undecodable bytes in them are replaced and counted', () => {
    const one = table([column({ name: 't', type: 'blob', meta: 4, collation: utf8mb4 })]);
    const values = { ...defaultValues, invalidText: 'replace' } as const;
    const renderer = compileRenderer(one, spec(one, { values }), 'stream');
    const rows = renderAll(renderer, binlogRows(one, 'create', [image([prefixed(4, Buffer.alloc(size, 0xff))])]));
    expect(rows[0]?.after).toBe(`{"t":"${'\ufffd'.repeat(size)}"}`);
    expect(renderer.replacedTexts).toBe(1);
  });
});

describe('tables that cannot be rendered', () => {
  const unsupported = (columnName: string): unknown =>
    expect.objectContaining({
      code: 'SOURCE_SCHEMA_UNSUPPORTED',
      details: expect.objectContaining({ table: 'shop.orders', column: columnName }) as unknown,
    });

  it('an unknown collation is named when the plan is made', () => {
    const of = table([column({ name: 'c', type: 'varchar', meta: 10, collation: 1000 })]);
    expect(() => compileRenderer(of, spec(of), 'stream')).toThrow(unsupported('c'));
  });

  it('an unknown wire type stops the plan even when its column is not captured (T165)', () => {
    const known = column({ name: 'id', type: 'long' });
    const of = table([known, { ...known, name: 'odd', wireType: 240 }]);
    expect(() => compileRenderer(of, spec(of, { columns: ['id'] }), 'stream')).toThrow(unsupported('odd'));
  });

  it('an ENUM without labels cannot be told (T21)', () => {
    const of = table([column({ name: 'e', type: 'enum', meta: 1, collation: utf8mb4 })]);
    expect(() => compileRenderer(of, spec(of), 'stream')).toThrow(unsupported('e'));
  });
});
