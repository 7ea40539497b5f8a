import { describe, expect, it } from 'vitest';

import type { LakehouseSinkOptions } from '../lakehouse-sink-options.ts';
import type { PostgresSinkOptions } from '../postgres-sink-options.ts';
import { loadIngest, loadText, plainLakehouse, plainPostgres, problemsOf, withLines } from '../sample-documents.ts';

const byUrl = plainPostgres.replace('  hostname: localhost\n  database: dw\n', '');

function postgres(text: string, ...lines: readonly string[]): PostgresSinkOptions {
  const { sink } = loadIngest(withLines(text, 'sink', ...lines));
  if (sink.kind !== 'postgres') throw new Error('not postgres');
  return sink;
}

function lakehouse(...lines: readonly string[]): LakehouseSinkOptions {
  const { sink } = loadIngest(withLines(plainLakehouse, 'sink', ...lines));
  if (sink.kind !== 'lakehouse') throw new Error('not lakehouse');
  return sink;
}

function problems(text: string, ...lines: readonly string[]): readonly string[] {
  return problemsOf(withLines(text, 'sink', ...lines));
}

describe('postgres sink', () => {
  it('fills the published defaults in', () => {
    expect(postgres(plainPostgres)).toMatchObject({
      hostname: 'localhost',
      port: 5432,
      database: 'dw',
      username: 'writer',
      password: 'pw',
      tls: { mode: 'prefer', ca: null },
      schemaTemplate: '{schema}',
      createSchemas: true,
      createTables: true,
      metadataSchema: 'millrace',
      commitUser: 'pipeline',
      parallelism: 4,
      flush: { maxRows: 5000, maxBytes: 16 * 1024 ** 2, intervalMs: 1000 },
      maxRetries: 5,
      invalidText: 'dead-letter',
    });
  });

  it('demands TLS off loopback by default', () => {
    expect(postgres(plainPostgres.replace('hostname: localhost', 'hostname: dw.example')).tls.mode).toBe('require');
  });

  it('reads URLs with and without jdbc', () => {
    for (const url of [
      'postgresql://dw.example:5433/d%20w',
      'jdbc:postgresql://dw.example:5433/d%20w',
      'postgres://dw.example:5433/d%20w',
    ]) {
      expect(postgres(byUrl, `url: ${url}`)).toMatchObject({ hostname: 'dw.example', port: 5433, database: 'd w' });
    }
    expect(postgres(byUrl, "url: 'postgresql://[::1]/dw?sslmode=verify-full'")).toMatchObject({
      hostname: '::1',
      tls: { mode: 'verify-full' },
    });
  });

  it('warns of a password in a URL without showing it', () => {
    const text = withLines(
      byUrl.replace('  password: ${env:PASSWORD}\n', ''),
      'sink',
      'url: postgresql://u:hunter2@h/d?foo=1',
    );
    const { warnings, pipeline } = loadText(text.replace('username: writer', 'username: u'));
    expect(pipeline.sink).toMatchObject({ username: 'u', password: 'hunter2' });
    expect(warnings.map((warning) => warning.replace(/^\S+ +/, ''))).toEqual([
      'sink.url  a password in a URL is easily logged: use password: ${secret_values.…}',
      'sink.url  parameters other than user, password and sslmode have no effect',
    ]);
    const failed = problemsOf(text);
    expect(failed.join()).toContain('conflict: url says another');
    expect(failed.join()).not.toContain('hunter2');
  });

  it.each([
    [plainPostgres, ['url: postgresql://h/d'], ['conflict: url says it', 'conflict: url says it']],
    [byUrl, [], ['hostname  missing', 'database  missing']],
    [byUrl, ['url: mysql://h/d'], ['sink.url  ***  syntax: expected postgresql://']],
    [plainPostgres, ['schema: "{db}"'], ['syntax: expected a schema name']],
    [plainPostgres, ['table.prefix: a"b'], ['syntax']],
    [plainPostgres, ['sink.parallelism: 65'], ['range: expected an integer from 1 to 64']],
    [plainPostgres, ['sink.buffer-flush.max-rows: 0'], ['range']],
    [plainPostgres, ['session.search_path: x'], ['unknown-key']],
    [plainPostgres, ['commit.user: a b'], ['syntax: expected 1 to 64 characters']],
    [plainPostgres, ['delete.mode: soft'], ['unsupported']],
    [plainPostgres, ['source-id.column: dbId'], ['unsupported']],
  ])('refuses %#', (text, lines, expected) => {
    const found = problems(text, ...lines);
    expect(found).toHaveLength(expected.length);
    for (const [index, part] of expected.entries()) expect(found[index]).toContain(part);
  });

  it('takes aliases of other products', () => {
    expect(
      postgres(plainPostgres, 'write.batch.size: 10', 'write.batch.interval.ms: 50', 'write.max.retries: 0'),
    ).toMatchObject({
      flush: { maxRows: 10, intervalMs: 50 },
      maxRetries: 0,
    });
  });

  it('reads type overrides: the last bare dot stands before the column', () => {
    const { typeOverrides } = postgres(
      plainPostgres,
      String.raw`type.overrides: shop.orders_\.*.total:numeric(30,4);a.b.at:timestamp with time zone`,
    );
    expect(typeOverrides.map(({ tables, column, type }) => [tables.normalised, column, type])).toEqual([
      [[String.raw`shop.orders_\.*`], 'total', 'numeric(30,4)'],
      [['a.b'], 'at', 'timestamp with time zone'],
    ]);
    expect(problems(plainPostgres, 'type.overrides: "a.b.c:int); DROP TABLE x"')[0]).toContain('syntax');
    expect(problems(plainPostgres, 'type.overrides: "a.b.c:int drop(1"')[0]).toContain('syntax');
  });

  it('collects storage parameters and session settings', () => {
    const sink = postgres(
      plainPostgres,
      'table.properties.fillfactor: 80',
      'session: {lock_timeout: 5s, synchronous_commit: OFF}',
    );
    expect([...sink.storageParameters]).toEqual([['fillfactor', '80']]);
    expect([...sink.sessionSettings]).toEqual([
      ['lock_timeout', '5s'],
      ['synchronous_commit', 'off'],
    ]);
  });
});

describe('lakehouse sink', () => {
  it('fills the published defaults in', () => {
    expect(lakehouse()).toEqual({
      kind: 'lakehouse',
      name: 'lakehouse',
      warehouse: './lake',
      tableFormat: 'iceberg',
      formatVersion: 3,
      commitUser: 'pipeline',
      commit: { intervalMs: 2000, maxRows: 50_000, maxBytes: 16 * 1024 ** 2 },
      targetFileSizeBytes: 128 * 1024 ** 2,
      compression: 'zstd',
      snapshots: { retainedMs: 3_600_000, minRetained: 20 },
    });
  });

  it('reads directories and file URLs, no object storage', () => {
    const at = (path: string): string => plainLakehouse.replace('warehouse: ./lake', `warehouse: ${path}`);
    expect(loadIngest(at('file:///data/lake')).sink).toMatchObject({ warehouse: '/data/lake' });
    for (const path of ['s3://b/x', 'oss://b/x', 'hdfs://n/x'])
      expect(problemsOf(at(path))[0]).toContain('unsupported');
    expect(problemsOf(at('file://host/x'))[0]).toContain('syntax');
  });

  it('takes names under table.properties for its own', () => {
    expect(
      lakehouse(
        'table.properties: {target-file-size: 1mb, snapshot.time-retained: 2h, format-version: 3, file.compression: snappy}',
      ),
    ).toMatchObject({ targetFileSizeBytes: 1024 ** 2, snapshots: { retainedMs: 7_200_000 }, compression: 'snappy' });
    expect(problems(plainLakehouse, 'target-file-size: 1mb', 'table.properties.target-file-size: 2mb')[0]).toContain(
      'conflict',
    );
    expect(problems(plainLakehouse, 'warehouse: ./other', 'catalog.properties.warehouse: x').join()).toContain(
      'duplicate',
    );
  });

  it('says once that compaction has no effect', () => {
    const { warnings } = loadText(
      withLines(plainLakehouse, 'sink', 'compaction.enabled: true', 'compaction.min-files: 4'),
    );
    expect(warnings.map((warning) => warning.replace(/^\S+ +/, ''))).toEqual([
      'sink.compaction.enabled  has no effect: there is no compaction in this version',
    ]);
    expect(loadText(withLines(plainLakehouse, 'sink', 'compaction.enabled: false')).warnings).toEqual([]);
  });

  it('refuses partitioned tables', () => {
    const text = `${plainLakehouse}transform:\n  - source-table: a.b\n    partition-keys: day\n`;
    expect(problemsOf(text)).toEqual([
      "transform[0].partition-keys  'day'  unsupported: partitioned tables: not in this version",
    ]);
    expect(
      loadText(text.replace('lakehouse', 'postgres').replace('warehouse: ./lake', 'url: postgresql://u@localhost/d'))
        .warnings[0],
    ).toContain('has no effect: only lakehouse tables are partitioned');
  });
});
