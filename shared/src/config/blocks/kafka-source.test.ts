import { describe, expect, it } from 'vitest';

import type { KafkaSourceOptions } from '../kafka-source-options.ts';
import { loadIngest, loadText, plainPostgres, problemsOf, withLines } from '../sample-documents.ts';

const bare = plainPostgres.replace('  topic: orders\n', '');

function source(...lines: readonly string[]): KafkaSourceOptions {
  return loadIngest(withLines(bare, 'source', ...lines)).source;
}

function problems(...lines: readonly string[]): readonly string[] {
  return problemsOf(withLines(bare, 'source', ...lines));
}

describe('kafka source', () => {
  it('reads topics by list, sequence or pattern, and exactly one of them', () => {
    expect(source('topic: a; b,c;a').topics).toEqual({ kind: 'list', names: ['a', 'b', 'c'] });
    expect(source('topic: [a, b]').topics).toEqual({ kind: 'list', names: ['a', 'b'] });
    const { topics } = source(String.raw`topic-pattern: (shop|crm)\..*`);
    const matches = (name: string): boolean => topics.kind === 'pattern' && topics.pattern.matches(name);
    expect([matches('shop.orders'), matches('xshop.orders'), matches('shopXorders')]).toEqual([true, false, false]);
    expect(problems()).toEqual(['source.topic  missing: required, or topic-pattern']);
    expect(problems('topic: a', 'topic-pattern: b')[0]).toContain('conflict: excludes topic');
    expect(problems('topic: a b')[0]).toContain('syntax: expected a topic');
    expect(problems('topic-pattern: (a')[0]).toContain('syntax: expected a regular expression');
  });

  it('begins at group offsets unless told otherwise', () => {
    expect(source('topic: a').startup).toEqual({ mode: 'group-offsets' });
    expect(source('topic: a', 'scan.startup.mode: timestamp', 'scan.startup.timestamp-millis: 5').startup).toEqual({
      mode: 'timestamp',
      millis: 5,
    });
    expect(problems('topic: a', 'scan.startup.mode: timestamp')[0]).toContain('missing: required for timestamp');
  });

  it('reads specific offsets beyond 2^53', () => {
    const offsets = 'partition:0,offset:42;topic:t-1, partition:1,offset:9223372036854775807';
    expect(
      source('topic: a', 'scan.startup.mode: specific-offsets', `scan.startup.specific-offsets: ${offsets}`).startup,
    ).toEqual({
      mode: 'specific-offsets',
      offsets: [
        { topic: null, partition: 0, offset: 42n },
        { topic: 't-1', partition: 1, offset: 9_223_372_036_854_775_807n },
      ],
    });
    for (const [wrong, column] of [
      ['partition:0', 1],
      ['partition:0,offset:1;offset:2', 22],
      ['partition:0,offset:-1', 1],
      ['partition:0,offset:1;partition:0,offset:2', 22],
    ] as const) {
      expect(
        problems('topic: a', 'scan.startup.mode: specific-offsets', `scan.startup.specific-offsets: ${wrong}`)[0],
      ).toContain(`(column ${column} of the value)`);
    }
  });

  it('turns discovery off at zero and below', () => {
    expect(source('topic: a').discoveryIntervalMs).toBe(300_000);
    expect(source('topic: a', 'scan.topic-partition-discovery.interval: -1').discoveryIntervalMs).toBe(0);
  });

  it('reads the options of the chosen format', () => {
    const lines = [
      'topic: a',
      'value.format: canal-json',
      'canal-json.distributed-tables: true',
      'canal-json.database.include: inv.*',
    ];
    const found = source(...lines, 'canal-json.infer-schema.strategy: auto');
    expect(found).toMatchObject({
      valueFormat: 'canal-json',
      distributedTables: true,
    });
    expect(found.canalDatabases?.matches('inventory')).toBe(true);
    expect(found.canalDatabases?.matches('my_inventory')).toBe(false);
    expect(source('topic: a').distributedTables).toBeNull();
  });

  it('lets only chosen tables in', () => {
    const { tables } = source('topic: a', String.raw`tables: shop.\.*`, String.raw`tables.exclude: shop.tmp_\.*`);
    expect(tables.matches({ namespace: '', schema: 'shop', table: 'orders' })).toBe(true);
    expect(tables.matches({ namespace: '', schema: 'shop', table: 'tmp_1' })).toBe(false);
    expect(source('topic: a').tables.matches({ namespace: '', schema: '', table: 'any' })).toBe(true);
  });

  it('warns once that dead letters stop the pipeline, unless that was asked for', () => {
    const silent = loadText(plainPostgres).warnings;
    const asked = loadText(
      plainPostgres.replace('dead-letter.policy: stop', 'dead-letter.policy: dead-letter'),
    ).warnings;
    expect(silent).toEqual([]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('a record that does not decode stops the pipeline');
  });

  it('reads initial schemas', () => {
    const ddl = 'CREATE TABLE shop.orders (id BIGINT NOT NULL, total DECIMAL(10, 2), PRIMARY KEY (id) NOT ENFORCED)';
    expect(source('topic: a', `scan.value.initial-schemas.ddls: ${ddl}`).inference.initialSchemas).toMatchObject([
      { id: { schema: 'shop', table: 'orders' }, primaryKey: ['id'] },
    ]);
  });
});
