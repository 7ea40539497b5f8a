import { describe, expect, it } from 'vitest';

import type { MysqlSourceOptions } from '../mysql-source-options.ts';
import { loadCapture, loadText, plainCapture, problemsOf, withLines } from '../sample-documents.ts';
import type { Overrides } from '../sample-documents.ts';

const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n';

function source(lines: readonly string[], overrides?: Overrides): MysqlSourceOptions {
  return loadCapture(withLines(plainCapture, 'source', ...lines), overrides).source;
}

function problems(...lines: readonly string[]): readonly string[] {
  return problemsOf(withLines(plainCapture, 'source', ...lines));
}

function warnings(...lines: readonly string[]): readonly string[] {
  const { warnings: all } = loadText(withLines(plainCapture, 'source', ...lines));
  return all.map((warning) => warning.replace(/^\S+ +/, ''));
}

const offset = 'scan.startup.specific-offset';

describe('scan.startup.mode', () => {
  it.each(['initial', 'snapshot', 'earliest-offset', 'latest-offset'])('%s', (mode) => {
    expect(source([`scan.startup.mode: ${mode}`]).startup).toEqual({ mode });
  });

  it('begins at a GTID set (T191)', () => {
    const lines = [
      'scan.startup.mode: specific-offset',
      `${offset}.gtid-set: 3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5`,
    ];
    expect(source(lines).startup).toEqual({
      mode: 'specific-gtid-set',
      gtidSet: '3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5',
    });
  });

  it('begins at a file and position', () => {
    const file = ['scan.startup.mode: specific-offset', `${offset}: {file: mysql-bin.000003, pos: 4, skip-rows: 2}`];
    expect(source(file).startup).toEqual({
      mode: 'specific-file',
      file: 'mysql-bin.000003',
      position: 4,
      skipEvents: 0,
      skipRows: 2,
    });
  });

  it('begins at a time', () => {
    const lines = ['scan.startup.mode: timestamp', 'scan.startup.timestamp-millis: 1728528600000'];
    expect(source(lines).startup).toEqual({ mode: 'timestamp', millis: 1_728_528_600_000 });
  });

  it.each([
    [[`${offset}.file: a`], [`source.${offset}.pos  missing: file and pos are given together`]],
    [[`${offset}.pos: 4`], [`source.${offset}.file  missing: file and pos are given together`]],
    [[], [`source.${offset}.gtid-set  missing: required for specific-offset, or file and pos`]],
    [
      [`${offset}: {gtid-set: g, file: a, pos: 4}`],
      [`source.${offset}.gtid-set  'g'  conflict: excludes file and pos`],
    ],
    [
      [`${offset}: {gtid-set: g, skip-events: 1}`],
      [`source.${offset}.skip-events  '1'  conflict: only with file and pos`],
    ],
    [[`${offset}: {file: a, pos: 3}`], [`source.${offset}.pos  '3'  range: expected an integer of at least 4`]],
  ])('refuses %j', (lines, expected) => {
    expect(problems('scan.startup.mode: specific-offset', ...lines)).toEqual(expected);
  });

  it('says when a start option has no effect', () => {
    expect(warnings('scan.startup.timestamp-millis: 5')).toEqual([
      'source.scan.startup.timestamp-millis  has no effect: scan.startup.mode is not timestamp',
    ]);
  });
});

describe('connection', () => {
  it('takes one id, or a pool of ids', () => {
    const withIds = (ids: string): MysqlSourceOptions =>
      loadCapture(plainCapture.replace('server-id: 1', `server-id: ${ids}`)).source;
    expect(withIds('8601 - 8604').serverIds).toEqual({ first: 8601, last: 8604, derived: false });
    expect(withIds('7').serverIds).toEqual({ first: 7, last: 7, derived: false });
    for (const [ids, kind] of [
      ['0', 'range'],
      ['4294967296', 'range'],
      ['5-4', 'range'],
      ['a', 'syntax'],
      ['1-', 'syntax'],
    ]) {
      expect(problemsOf(plainCapture.replace('server-id: 1', `server-id: ${ids}`))[0]).toContain(`${kind}: expected`);
    }
  });

  it('derives a stable id from the pipeline name, with a warning', () => {
    const text = plainCapture.replace('  server-id: 1\n', '');
    const { serverIds } = loadCapture(text).source;
    expect(serverIds).toEqual(loadCapture(text).source.serverIds);
    expect(serverIds.first).toBeGreaterThanOrEqual(5400);
    expect(serverIds.first).toBeLessThanOrEqual(6400);
    expect(serverIds).toMatchObject({ last: serverIds.first, derived: true });
    expect(loadText(text).warnings).toEqual([
      `pipeline.yaml:1:1  source.server-id  not given: ${serverIds.first} is derived from the pipeline name; it must be unique at the server`,
    ]);
  });

  it('maps what JDBC says about TLS', () => {
    expect(source(['jdbc.properties.sslMode: VERIFY_CA']).tls.mode).toBe('verify-ca');
    expect(source(['jdbc.properties.useSSL: true']).tls.mode).toBe('required');
    expect(source(['jdbc.properties.useSSL: false']).tls.mode).toBe('disabled');
    expect(source(['jdbc.properties.socketTimeout: 60000']).socketTimeoutMs).toBe(60_000);
    expect(source([]).tls.mode).toBe('preferred');
    expect(problems('jdbc.properties.useSSL: false', 'ssl.mode: required')[0]).toContain('conflict');
  });

  it('reads PEM files', () => {
    const files = { 'ca.pem': pem, 'no.pem': 'binary' };
    expect(source(['ssl.ca: ca.pem'], { files }).tls.ca).toEqual({ path: 'ca.pem', text: pem });
    for (const path of ['no.pem', 'gone.pem']) {
      expect(problemsOf(withLines(plainCapture, 'source', `ssl.ca: ${path}`), { files })).toEqual([
        `source.ssl.ca  '${path}'  type: expected a PEM file that can be read`,
      ]);
    }
    expect(problems('ssl.key: k.pem')).toContain('source.ssl.cert  missing: certificate and key are given together');
  });

  it('refuses a list of hosts', () => {
    expect(problemsOf(plainCapture.replace('db1', 'db1,db2'))[0]).toContain('unsupported: one host');
  });

  it('warns of a literal password', () => {
    const { warnings: all } = loadText(plainCapture.replace('${env:PASSWORD}', 'hunter2'));
    expect(all).toEqual([
      'pipeline.yaml:5:3  source.password  a secret in the document itself: use ${secret_values.…}, ${env:…} or ${file:…}',
    ]);
  });

  it('checks the declared zone although nothing depends on it', () => {
    expect(source(['server-time-zone: Europe/Rome']).serverTimeZone).toBe('Europe/Rome');
    expect(warnings('server-time-zone: +02:00')[0]).toContain('no value depends on it: sessions run in UTC');
    expect(problems('server-time-zone: Middle/Earth')[0]).toContain('type: expected a time zone');
  });
});

describe('snapshot and log', () => {
  it('fills the published defaults in', () => {
    expect(source([])).toMatchObject({
      port: 3306,
      connectTimeoutMs: 30_000,
      connectMaxRetries: 3,
      heartbeatIntervalMs: 30_000,
      snapshot: { chunkRows: 8096, parallelism: 4, rateLimitRows: 0 },
      newTables: 'ignore',
      tableDiscoveryIntervalMs: 60_000,
      tinyint1AsBoolean: true,
      compactJson: false,
      zeroDates: 'null',
      invalidText: 'fail',
      transactionMaxBufferBytes: 256 * 1024 ** 2,
    });
  });

  it('takes parallelism from the pipeline unless it has its own, within the pool', () => {
    const withPipeline = withLines(plainCapture, 'pipeline', 'parallelism: 8');
    expect(loadCapture(withPipeline).source.snapshot.parallelism).toBe(8);
    expect(
      loadCapture(withLines(withPipeline, 'source', 'scan.snapshot.parallelism: 2')).source.snapshot.parallelism,
    ).toBe(2);
    expect(source(['scan.snapshot.parallelism: 64', 'connection.pool.size: 5']).snapshot.parallelism).toBe(5);
  });

  it('knows three ways with new tables, and refuses two at once', () => {
    expect(source(['scan.binlog.newly-added-table.enabled: true']).newTables).toBe('stream-from-create');
    expect(
      problems('scan.binlog.newly-added-table.enabled: true', 'scan.newly-added-table.enabled: true')[0],
    ).toContain('conflict: excludes scan.newly-added-table.enabled');
  });

  it('chooses chunk columns by table, first match first', () => {
    const [first, second] = source([String.raw`scan.incremental.snapshot.chunk.key-column: shop.log:at; a.b,c.\.*:id`])
      .snapshot.chunkKeyColumns;
    expect(first).toMatchObject({ column: 'at', tables: { normalised: ['shop.log'] } });
    expect(second).toMatchObject({ column: 'id', tables: { normalised: ['a.b', String.raw`c.\.*`] } });
    expect(problems('scan.incremental.snapshot.chunk.key-column: shop.log')[0]).toContain(
      'syntax: expected one selector:column',
    );
  });

  it('accepts op_ts and es_ts, refuses other metadata with the reason', () => {
    expect(source(['metadata.list: op_ts']).executeTimes).toBe(false);
    expect(source(['metadata.list: op_ts, es_ts']).executeTimes).toBe(true);
    expect(problems('metadata.list: table_name')[0]).toContain('unsupported: table_name is not in this version');
    expect(problems('metadata-column.include-list: row_kind')[0]).toContain('unsupported: row_kind');
    expect(problems('metadata.list: [nonsense]')[0]).toContain('enum: expected op_ts');
  });

  it('takes a topic mapping from here, with a warning', () => {
    const lines = ['sink.tableId-to-topic.mapping: shop.orders:o'];
    expect(loadCapture(withLines(plainCapture, 'source', ...lines)).sink.topicMapping).toMatchObject([{ topic: 'o' }]);
    expect(warnings(...lines)).toEqual([
      'source.sink.tableId-to-topic.mapping  belongs to sink; taken from here all the same',
    ]);
  });
});

describe('names of Debezium', () => {
  it('stand for our own', () => {
    const text = `source:
  type: mysql
  database.hostname: db1
  database.port: 3307
  database.user: reader
  database.password: \${env:PASSWORD}
  database.server.id: 184054
  database.server.name: shop
  table.include.list: shop\\.orders.*,crm\\.customers
  table.exclude.list: .*_old
  snapshot.mode: initial_only
sink:
  type: kafka
  properties.bootstrap.servers: localhost:9092
`;
    const pipeline = loadCapture(text);
    expect(pipeline.source).toMatchObject({ hostname: 'db1', port: 3307, name: 'shop', startup: { mode: 'snapshot' } });
    expect(pipeline.sink.topicPrefix).toBe('shop');
    const selected = (schema: string, table: string): boolean =>
      pipeline.source.tables.matches({ namespace: '', schema, table });
    expect([
      selected('shop', 'orders_1'),
      selected('CRM', 'customers'),
      selected('shop', 'orders_old'),
      selected('xshop', 'orders'),
    ]).toEqual([true, true, false, false]);
  });

  it('must agree with a native name given beside them', () => {
    expect(source(['database.hostname: db1']).hostname).toBe('db1');
    expect(problems('database.hostname: db2')).toEqual([
      "source.hostname  'db1'  conflict: the same option as source.database.hostname, with another value",
    ]);
    expect(problems('table.include.list: a.b')[0]).toContain('conflict: give either');
    expect(problems('snapshot.mode: never', 'scan.startup.mode: initial')[0]).toContain(
      'conflict: means earliest-offset',
    );
  });

  it('map the debezium.* pass-through keys that have a meaning', () => {
    expect(source(['debezium.snapshot.mode: schema_only']).startup).toEqual({ mode: 'latest-offset' });
    expect(problems('debezium.decimal.handling.mode: double')[0]).toContain('unsupported: renderings of Debezium');
    expect(problems('debezium.event.processing.failure.handling.mode: skip')[0]).toContain(
      'unsupported: rows would be lost',
    );
    expect(warnings('debezium.max.queue.size: 100', 'debezium.poll.interval.ms: 5')).toEqual([
      'source.debezium.max.queue.size  has no effect: no Debezium engine runs here (also debezium.poll.interval.ms)',
    ]);
  });
});
