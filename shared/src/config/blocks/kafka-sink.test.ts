import { describe, expect, it } from 'vitest';

import type { KafkaSinkOptions } from '../kafka-sink-options.ts';
import { loadCapture, loadText, plainCapture, problemsOf, withLines } from '../sample-documents.ts';

function sink(...lines: readonly string[]): KafkaSinkOptions {
  return loadCapture(withLines(plainCapture, 'sink', ...lines)).sink;
}

function problems(...lines: readonly string[]): readonly string[] {
  return problemsOf(withLines(plainCapture, 'sink', ...lines));
}

describe('value format', () => {
  it('is debezium-json of flavour vvr by default', () => {
    expect(sink().value).toEqual({
      format: 'debezium-json',
      flavour: 'vvr',
      timestampStandard: 'sql',
      decimals: 'scale',
      bigNumbers: 'number',
      ignoreNullFields: false,
      timeFraction: true,
      snapshotOp: 'c',
      emitFullTableId: false,
      canalOld: 'full',
    });
  });

  it('writes what OSS writes in flavour oss (T181)', () => {
    expect(sink('debezium-json.flavour: oss').value).toMatchObject({
      decimals: 'scientific',
      timeFraction: false,
    });
  });

  it.each([
    ['true', 'plain'],
    ['false', 'scientific'],
  ])('decimal-as-plain-number %s', (given, decimals) => {
    const lines = ['value.format: canal-json', `canal-json.encode.decimal-as-plain-number: ${given}`];
    expect(sink(...lines).value).toMatchObject({ format: 'canal-json', decimals });
  });

  it('says that options of the other format have no effect', () => {
    const { warnings } = loadText(withLines(plainCapture, 'sink', 'canal-json.old: changed'));
    expect(warnings[0]).toContain('sink.canal-json.old  has no effect: value.format is debezium-json');
  });
});

describe('topics and headers', () => {
  it('splits headers at ; where there is one, else at commas (T194)', () => {
    expect(sink('sink.custom-header: a:1,b:2').customHeaders).toEqual([
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ]);
    expect(sink('sink.custom-header: a:1,2;b:3').customHeaders).toEqual([
      { name: 'a', value: '1,2' },
      { name: 'b', value: '3' },
    ]);
    for (const wrong of ['a', 'a:1:2', 'a:1;;b:2', ':1']) {
      expect(problems(`sink.custom-header: '${wrong}'`)[0]).toContain('syntax: expected one name:value per entry');
    }
  });

  it('maps several selectors to one topic, first match first', () => {
    const { topicMapping } = sink(String.raw`sink.tableId-to-topic.mapping: a.b,c.\.*:one;\.*.\.*:rest;`);
    expect(topicMapping.map(({ tables, topic }) => [tables.normalised, topic])).toEqual([
      [['a.b', String.raw`c.\.*`], 'one'],
      [[String.raw`\.*.\.*`], 'rest'],
    ]);
  });

  it.each([
    ['a.b', 1],
    ['a.b:t;c.d', 7],
    ['a.b:t:u', 1],
    ['a.b:', 1],
    ['a.b:t u', 5],
    ['a.b:..', 5],
    ['a.(b:t', 1],
  ])('refuses the mapping %s at column %i', (mapping, column) => {
    expect(problems(`sink.tableId-to-topic.mapping: '${mapping}'`)[0]).toMatch(
      new RegExp(String.raw`syntax: expected .* \(column ${column} of the value\)$`),
    );
  });

  it('says that topic makes the mapping idle', () => {
    const { warnings } = loadText(
      withLines(plainCapture, 'sink', 'topic: all', 'sink.tableId-to-topic.mapping: a.b:c'),
    );
    expect(warnings[0]).toContain('has no effect: topic takes everything');
  });

  it('chooses partitions per table', () => {
    const { partitionStrategy, partitionOverrides } = sink(
      'partition.strategy: hash-by-key',
      'partition.strategy.overrides: shop.settings:all-to-zero;shop.log:hash-by-table',
    );
    expect(partitionStrategy).toBe('hash-by-key');
    expect(partitionOverrides.map(({ strategy }) => strategy)).toEqual(['all-to-zero', 'hash-by-table']);
    expect(problems('partition.strategy: hash-by-table')[0]).toContain('enum');
    expect(problems('partition.strategy.overrides: a.b:by-hash')[0]).toContain('syntax: expected one of all-to-zero');
  });

  it('turns the schema log off with an empty name, and takes -1 for the broker default', () => {
    expect(sink().schemaTopic).toBe('millrace.schema');
    expect(sink("sink.schema.topic: ''").schemaTopic).toBeNull();
    expect(sink().topicCreation).toEqual({ enabled: true, partitions: null, replicationFactor: null });
    expect(sink('topic.creation.default: {partitions: 12, replication.factor: 3}').topicCreation).toMatchObject({
      partitions: 12,
      replicationFactor: 3,
    });
    expect(problems('topic.creation.default.partitions: 0')[0]).toContain('range');
  });

  it('awaits acknowledgements even when told not to', () => {
    const { warnings } = loadText(withLines(plainCapture, 'sink', 'sink.delivery-guarantee: none'));
    expect(warnings[0]).toContain('has no effect: acknowledgements are always awaited');
  });

  it('leaves the placeholder of the outbox router alone', () => {
    expect(problems('outbox.route.topic.replacement: outbox.${routedByValue}')).toEqual([
      "sink.outbox.route.topic.replacement  'outbox.${routedByValue}'  unsupported: outbox tables: not in this version",
    ]);
  });
});
