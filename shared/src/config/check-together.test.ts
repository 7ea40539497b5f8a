import { describe, expect, it } from 'vitest';

import { conflictsBetween } from './check-together.ts';
import { expectCapture, expectIngest } from './pipeline-kind.ts';
import { loadText, plainCapture, plainLakehouse, plainPostgres, withLines } from './sample-documents.ts';

function conflicts(...texts: readonly string[]): readonly string[] {
  return conflictsBetween(
    texts.map((text, index) => ({
      file: `${index}.yaml`,
      pipeline: loadText(text, { file: `${index}.yaml` }).pipeline,
    })),
  );
}

const ids = (text: string, given: string): string => text.replace('server-id: 1', `server-id: ${given}`);

describe('documents together', () => {
  it('may not share a replica id at one server', () => {
    expect(conflicts(ids(plainCapture, '5-8'), ids(plainCapture, '8-9'))).toEqual([
      '1.yaml  conflict: server-id 8-9 is also used by 0.yaml',
    ]);
    expect(conflicts(ids(plainCapture, '5-8'), ids(plainCapture, '9'))).toEqual([]);
    expect(conflicts(plainCapture, plainCapture.replace('db1', 'db2'))).toEqual([]);
  });

  it('may not share a checkpoint or a topic prefix', () => {
    const named = withLines(withLines(plainCapture, 'pipeline', 'name: shop'), 'sink', 'topic.prefix: p');
    expect(conflicts(ids(named, '1'), ids(named, '2'))).toEqual([
      '1.yaml  conflict: topic.prefix p is also used by 0.yaml',
      '1.yaml  conflict: pipeline.name shop in millrace.checkpoints is also used by 0.yaml',
    ]);
  });

  it('may not share a commit user in one destination or a consumer group', () => {
    const user = (text: string, name: string): string => withLines(text, 'sink', `commit.user: ${name}`);
    expect(conflicts(user(plainPostgres, 'a'), user(plainPostgres, 'a'))).toEqual([
      '1.yaml  conflict: commit.user a is also used by 0.yaml',
      '1.yaml  conflict: properties.group.id millrace-a is also used by 0.yaml',
    ]);
    expect(conflicts(user(plainPostgres, 'a'), user(plainLakehouse, 'a'))).toEqual([
      '1.yaml  conflict: properties.group.id millrace-a is also used by 0.yaml',
    ]);
    expect(conflicts(plainPostgres, plainLakehouse, plainCapture)).toEqual([]);
  });

  it('go to the program of their kind', () => {
    const capture = loadText(plainCapture).pipeline;
    const ingest = loadText(plainPostgres).pipeline;
    expect(expectCapture(capture, 'f')).toBe(capture);
    expect(expectIngest(ingest, 'f')).toBe(ingest);
    expect(() => expectIngest(capture, 'f')).toThrow(expect.objectContaining({ hint: 'Give it to millrace-capture.' }));
    expect(() => expectCapture(ingest, 'f')).toThrow(expect.objectContaining({ hint: 'Give it to millrace-ingest.' }));
  });
});
