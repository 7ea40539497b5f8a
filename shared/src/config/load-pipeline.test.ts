import { describe, expect, it } from 'vitest';

import {
  failureOf,
  loadCapture,
  loadIngest,
  loadText,
  minimalCapture,
  plainCapture,
  plainPostgres,
  problemsOf,
  publishedCapture,
  publishedIngest,
  withLines,
} from './sample-documents.ts';
import type { Overrides } from './sample-documents.ts';

const placeholderSources: readonly (readonly [string, Overrides])[] = [
  [
    'the environment',
    {
      environment: {
        SECRET_VALUES_MYSQL_HOSTNAME: 'db1',
        MYSQL_PORT: '3307',
        MYSQL_USERNAME: 'reader',
        MYSQL_PASSWORD: '',
        KAFKA_BOOTSTRAPS_SERVER: 'k1:9092,k2:9093',
        KAFKA_BOOTSTRAP_SERVERS: 'k1:9092,k2:9093',
      },
    },
  ],
  [
    '--set',
    {
      sets: [
        'secret_values.mysql.hostname=db1',
        'mysql.port=3307',
        'mysql.username=reader',
        'secret_values.mysql.password=',
        'kafka.bootstraps.server=k1:9092,k2:9093',
        'kafka.bootstrap.servers=k1:9092,k2:9093',
      ],
    },
  ],
  [
    '--vars',
    {
      varsFiles: ['vars.yaml', '.env'],
      files: {
        'vars.yaml': `secret_values: {mysql: {hostname: db1, username: reader}}
mysql: {port: 3307, password: ""}
kafka.bootstraps.server: k1:9092,k2:9093`,
        '.env': 'kafka.bootstrap.servers=unused\nKAFKA_BOOTSTRAP_SERVERS=unused\nkafka_bootstrap=unused',
      },
      environment: { KAFKA_BOOTSTRAP_SERVERS: 'k1:9092,k2:9093' },
    },
  ],
];

const brokers = [
  { host: 'k1', port: 9092 },
  { host: 'k2', port: 9093 },
];

describe.each(placeholderSources)('published documents with placeholders from %s', (_, values) => {
  it('loads capture in its full form', () => {
    const pipeline = loadCapture(publishedCapture, values);
    expect(pipeline.source).toMatchObject({
      name: 'MySQL Source',
      hostname: 'db1',
      port: 3307,
      username: 'reader',
      password: '',
      serverIds: { first: 8601, last: 8604, derived: false },
      newTables: 'snapshot',
      includeComments: true,
      snapshot: { chunkRows: 8096 },
      startup: { mode: 'initial' },
    });
    expect(pipeline.sink.client.bootstrapServers).toEqual(brokers);
    expect(pipeline.sink.topicMapping.map(({ topic }) => topic)).toEqual(['customers', 'products']);
    expect(pipeline.sink.partitionStrategy).toBe('all-to-zero');
  });

  it('loads capture in its minimal form, and hash-by-key when added', () => {
    expect(minimalCapture).not.toContain('Optional');
    const pipeline = loadCapture(withLines(minimalCapture, 'sink', 'partition.strategy: hash-by-key'), values);
    expect(pipeline.source.newTables).toBe('ignore');
    expect(pipeline.sink.topicMapping).toEqual([]);
    expect(pipeline.sink.partitionStrategy).toBe('hash-by-key');
  });
});

describe('published documents', () => {
  const values: Overrides = { environment: { KAFKA_BOOTSTRAP_SERVERS: 'k1:9092,k2:9093' } };

  it('loads ingest, with a warning for what belongs to a remote catalog', () => {
    const { warnings } = loadText(publishedIngest, values);
    const pipeline = loadIngest(publishedIngest, values);
    expect(pipeline.source).toMatchObject({
      topics: { kind: 'list', names: ['inventory'] },
      startup: { mode: 'earliest-offset' },
      valueFormat: 'debezium-json',
      distributedTables: true,
      client: { bootstrapServers: brokers, consumer: { groupId: 'millrace-your_job_name' } },
    });
    expect(pipeline.sink).toMatchObject({
      kind: 'lakehouse',
      warehouse: 'your_warehouse',
      commitUser: 'your_job_name',
    });
    expect(pipeline.transform).toMatchObject([{ columns: null, primaryKeys: ['id'] }]);
    expect(warnings).toEqual([
      'pipeline.yaml:1:1  pipeline.dead-letter.policy  dead letters are not in this version: a record that does not decode stops the pipeline, as stop says',
      'pipeline.yaml:16:3  sink.type  paimon without table-format writes Iceberg tables',
      'pipeline.yaml:17:3  sink.catalog.properties.metastore  rest: tables are written under warehouse; no remote catalog is contacted',
      'pipeline.yaml:18:3  sink.catalog.properties.uri  has no effect: belongs to a remote catalog, and none is contacted',
      'pipeline.yaml:20:3  sink.catalog.properties.token.provider  has no effect: belongs to a remote catalog, and none is contacted',
    ]);
  });

  it('sends one request at a time to brokers without idempotence, so that a retry cannot reorder (T132)', () => {
    const environment = placeholderSources[0]?.[1].environment ?? {};
    const { producer } = loadCapture(publishedCapture, { environment }).sink.client;
    expect(producer).toMatchObject({ idempotence: false, maxInFlightRequests: 1 });
    const given = withLines(publishedCapture, 'sink', 'properties.max.in.flight.requests.per.connection: 3');
    expect(loadCapture(given, { environment }).sink.client.producer.maxInFlightRequests).toBe(1);
    expect(loadText(given, { environment }).warnings.join()).toContain(
      'in.flight.requests.per.connection  has no effect',
    );
    expect(loadCapture(plainCapture).sink.client.producer).toMatchObject({ idempotence: true, maxInFlightRequests: 5 });
  });

  it('selects the whole database in either spelling', () => {
    const environment = placeholderSources[0]?.[1].environment ?? {};
    const other = publishedCapture.replace(String.raw`kafka_test\.\*`, () => String.raw`kafka_test.\.*`);
    for (const text of [publishedCapture, other]) {
      const { tables } = loadCapture(text, { environment }).source;
      expect(tables.matches({ namespace: '', schema: 'kafka_test', table: 'customers' })).toBe(true);
      expect(tables.matches({ namespace: '', schema: 'other', table: 'customers' })).toBe(false);
    }
    const remarks = (text: string): readonly string[] =>
      loadText(text, { environment }).warnings.filter((warning) => warning.includes('source.tables'));
    expect(remarks(publishedCapture)).toEqual([
      String.raw`pipeline.yaml:8:3  source.tables  kafka_test\.\* is read as kafka_test.\.*`,
    ]);
    expect(remarks(other)).toEqual([]);
  });
});

describe('documents', () => {
  it('reports a dozen mistakes in one error, each with its place', () => {
    const text = `source:
  type: mysql
  hostnme: db1
  port: 99999
  username: \${nobody}
  password: \${secret_values.pw}
  tables: kafka_test
  server-id: 9-3
  server-id: 1
  connect.timeout: soon
  scan.startup.mode: earliest
  scan.incremental.snapshot.enabled: false
sink:
  type: kafka
  properties.bootstrap.servers: broker
  sink.delivery-guarantee: exactly-once
transform:
  - source-table: a.b
    filter: a > 1
pipeline:
  metrics.host: 0.0.0.0
`;
    expect(failureOf(text, { environment: { PW: 'x' } }).replace(/ {2}allowed in source: .*\n/, '')).toBe(
      `CONFIG_INVALID  the pipeline document is not valid: 14 problems
  pipeline.yaml:1:1  source.hostname  missing: required: The server, one host
  pipeline.yaml:3:3  source.hostnme  unknown-key: not an option of source  (nearest: hostname)
  pipeline.yaml:4:9  source.port  '99999'  range: expected an integer from 1 to 65535
  pipeline.yaml:5:13  source.username  '\${nobody}'  unresolved: no value for the placeholder; set one of: --set nobody=…, NOBODY
  pipeline.yaml:7:11  source.tables  'kafka_test'  syntax: expected a selector of at least 2 parts joined by dots (column 1 of the value)
  pipeline.yaml:8:14  source.server-id  '9-3'  range: expected ids from 1 to 4294967295, the lower one first
  pipeline.yaml:9:3  source.server-id  duplicate: given already in line 8
  pipeline.yaml:10:20  source.connect.timeout  'soon'  type: expected a duration such as 500ms, 30s, 5min, 1h or PT30S
  pipeline.yaml:11:22  source.scan.startup.mode  'earliest'  enum: expected one of initial, snapshot, earliest-offset, latest-offset, specific-offset, timestamp  (nearest: earliest-offset)
  pipeline.yaml:12:38  source.scan.incremental.snapshot.enabled  'false'  unsupported: there is no locking snapshot; leave the option out
  pipeline.yaml:15:33  sink.properties.bootstrap.servers  'broker'  syntax: expected host:port[,host:port…]
  pipeline.yaml:16:28  sink.sink.delivery-guarantee  'exactly-once'  unsupported: not in this version; ingest removes the repeats of at-least-once
  pipeline.yaml:19:13  transform[0].filter  'a > 1'  unsupported: filters: not in this version
  pipeline.yaml:21:17  pipeline.metrics.host  '0.0.0.0'  conflict: a host off loopback needs console.auth: token or proxy
  fix  Correct the named options; \`validate\` checks the document without starting anything.`,
    );
  });

  it('takes nested maps for their dotted form', () => {
    const nested = `source:
  type: mysql
  hostname: db1
  username: reader
  password: \${env:PASSWORD}
  tables: [shop.orders, shop.items]
  server-id: 1
  scan: {startup: {mode: latest-offset}, snapshot: {parallelism: 2}}
sink: {type: kafka, properties: {bootstrap.servers: 'localhost:9092', linger: {ms: 7}}}
`;
    const pipeline = loadCapture(nested);
    expect(pipeline.source.startup).toEqual({ mode: 'latest-offset' });
    expect(pipeline.source.snapshot.parallelism).toBe(2);
    expect(pipeline.source.tables.normalised).toEqual(['shop.orders', 'shop.items']);
    expect(pipeline.sink.client.producer.lingerMs).toBe(7);
  });

  it('refuses dotted and nested spelling of one key', () => {
    expect(
      problemsOf(withLines(plainCapture, 'source', 'heartbeat.interval: 1s', 'heartbeat: {interval: 1s}')),
    ).toEqual(['source.heartbeat.interval  duplicate: given already in line 2']);
  });

  it('reads values as text, so that null, yes and numbers keep their spelling', () => {
    const pipeline = loadCapture(
      withLines(plainCapture, 'source', 'zero-date.handling: null', 'name: 0123').replace(
        'username: reader',
        'username: yes',
      ),
    );
    expect(pipeline.source).toMatchObject({ zeroDates: 'null', name: '0123', username: 'yes' });
  });

  it('never lets a value inject YAML', () => {
    const environment = { PASSWORD: "x\n  port: 1\n  'y: [" };
    expect(loadCapture(plainCapture, { environment }).source).toMatchObject({
      port: 3306,
      password: environment.PASSWORD,
    });
  });

  it('substitutes once', () => {
    const text = plainCapture.replace('hostname: db1', 'hostname: ${a}');
    expect(loadCapture(text, { sets: ['a=${b}', 'b=c'] }).source.hostname).toBe('${b}');
  });

  it('names the pipeline after its file', () => {
    expect(loadText(plainCapture, { file: 'dir.d/shop.capture.yaml' }).pipeline.name).toBe('shop.capture');
    expect(loadText(withLines(plainCapture, 'pipeline', 'name: Sync A'), {}).pipeline.name).toBe('Sync A');
  });

  it('derives identities that Kafka and lake accept from any pipeline name', () => {
    const pipeline = loadIngest(withLines(plainPostgres, 'pipeline', 'name: Sync MySQL → PG'));
    expect(pipeline.sink.commitUser).toMatch(/^Sync-MySQL-PG-[0-9a-f]{8}$/);
    expect(pipeline.source.client.consumer.groupId).toBe(`millrace-${pipeline.sink.commitUser}`);
    const other = loadIngest(withLines(plainPostgres, 'pipeline', 'name: Sync MySQL ← PG'));
    expect(other.sink.commitUser).not.toBe(pipeline.sink.commitUser);
  });

  it('is frozen all the way down', () => {
    const pipeline = loadCapture(plainCapture);
    for (const part of [
      pipeline,
      pipeline.source,
      pipeline.sink.client.producer,
      pipeline.runtime.retry,
      pipeline.transform,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('error kinds', () => {
  it.each([
    ['a: [1', 'yaml: indentation that fits the lines above'],
    ['', 'yaml: a document that is not empty'],
    ['text', 'yaml: a map with source and sink'],
    [`${plainCapture}---\na: b\n`, 'yaml: one document per file'],
    [plainCapture.replace('db1', '!vault db1'), 'yaml: a known tag'],
    [
      plainCapture.replace('shop.orders', () => String.raw`"shop\.orders"`),
      "yaml: a backslash escape that YAML does not know: write the value in single quotes, such as '\\.'",
    ],
    [
      `${plainCapture}transform:\n  - source-table: a.b\n    projection: *\n`,
      "yaml: `*` begins a YAML alias: for all columns write \\* or '*'",
    ],
    [`${plainCapture}transform:\n  source-table: a.b\n`, 'transform  yaml: a list of rules: missing `-`?'],
    [`${plainCapture}route:\n  - a.b\n`, 'route[0]  yaml: a map of options'],
    [`${plainCapture}pipeline:\n  - name: x\n`, 'pipeline  yaml: a map of options, without `-`'],
    [
      plainCapture.replace('db1', '{a: {b: c}}'),
      'source.hostname.a.b  unknown-key: not an option of source  (nearest: hostname)',
    ],
  ])('document %#', (text, expected) => {
    expect(problemsOf(text)).toContain(expected);
  });

  it.each([
    [
      'unknown-key',
      'sourc: {}',
      'sourc  unknown-key: not a part of a document: source, sink, transform, route, pipeline are  (nearest: source)',
    ],
    ['duplicate', 'sink: {}', 'sink  duplicate: given already in line 8'],
  ])('%s at the top', (_, line, expected) => {
    expect(problemsOf(`${plainCapture}${line}\n`)).toEqual([expected]);
  });

  it('lists the allowed keys of a block with an unknown one', () => {
    expect(failureOf(withLines(plainCapture, 'pipeline', 'nam: x'))).toMatch(
      / {2}allowed in pipeline: name, parallelism, /,
    );
  });

  it('reports both absent ends', () => {
    expect(problemsOf('pipeline: {name: x}')).toEqual(['source  missing: required', 'sink  missing: required']);
  });

  it('reports every absent required option', () => {
    const text = 'source: {type: mysql, server-id: 1}\nsink: {type: kafka}\n';
    expect(problemsOf(text)).toEqual([
      'source.hostname  missing: required: The server, one host',
      'source.username  missing: required: User',
      'source.password  missing: required: Password; may be empty',
      'source.tables  missing: required: tables to capture',
      'sink.properties.bootstrap.servers  missing: required: Brokers to find the cluster by',
    ]);
  });

  it('does not call an option absent whose placeholder has no value', () => {
    expect(problemsOf(plainCapture, { environment: {} })).toEqual([
      "source.password  '${env:PASSWORD}'  unresolved: no value for the placeholder; set one of: PASSWORD",
    ]);
  });

  it('refuses two stages in one document, and other connectors', () => {
    const direct = `${plainCapture.split('sink:')[0]}sink: {type: postgres}\n`;
    expect(problemsOf(direct)).toEqual([
      'sink.type  unsupported: Kafka stands between the two stages: one document from the database to kafka, another from kafka on',
    ]);
    expect(problemsOf(plainPostgres.replace('type: postgres', 'type: doris'))).toEqual([
      "sink.type  'doris'  unsupported: not a sink of Millrace: kafka, postgres, lakehouse, iceberg, paimon are",
    ]);
    expect(problemsOf(plainPostgres.replace('type: postgres', 'type: postgre'))[0]).toContain('(nearest: postgres)');
    expect(problemsOf(plainCapture.replace('type: mysql', 'type: postgres'))).toEqual([
      "source.type  'postgres'  unsupported: postgres as a source: not in this version; mysql, mariadb and kafka are",
    ]);
  });

  it('refuses connector JSON as unsupported', () => {
    const json =
      '// MySQL\n{ "name": "c", "config": { "connector.class": "io.debezium.connector.mysql.MySqlConnector" } }';
    const expected = ['unsupported: Debezium connector JSON is not in this version: write the pipeline as YAML'];
    expect(problemsOf(json)).toEqual(expected);
    expect(problemsOf('{}', { file: 'connector.json' })).toEqual(expected);
  });

  it('survives anchors that explode or contain themselves', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x,x]'];
    for (let level = 1; level < 9; level += 1) bomb.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(10)}]`);
    expect(problemsOf(bomb.join('\n'))).toEqual(['yaml: a document that is less deep and less large']);
    expect(problemsOf('source: &s {type: *s}')).toEqual(['yaml: a document that is less deep and less large']);
  });

  it('reports a document that cannot be read', () => {
    expect(() =>
      loadText('', {
        readFile: () => {
          throw new Error('EACCES');
        },
      }),
    ).toThrow('the pipeline document cannot be read');
  });
});
