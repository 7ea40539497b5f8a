import { expect, it } from 'vitest';

import type { SourceTable } from '../project/source-table.ts';
import { DistributionWatch } from './distribution-watch.ts';

function told(met: readonly (readonly [table: string, topic: string, partition: number])[]): readonly string[] {
  const messages: string[] = [];
  const watch = new DistributionWatch((message, table, topic) => messages.push(`${topic} ${table}: ${message}`));
  for (const [text, topic, partition] of met) watch.met({ text } as SourceTable, { topic, partition });
  return messages;
}

it('tells once of a topic with several tables or a table in several partitions', () => {
  expect(
    told([
      ['a', 't', 0],
      ['a', 't', 0],
      ['b', 'u', 0],
    ]),
  ).toStrictEqual([]);
  expect(
    told([
      ['a', 't', 0],
      ['b', 't', 0],
      ['b', 't', 1],
    ]),
  ).toStrictEqual(['t b: a topic holds several tables; distributed-tables is not set']);
  expect(
    told([
      ['a', 't', 0],
      ['a', 't', 1],
      ['a', 't', 2],
    ]),
  ).toStrictEqual(['t a: a table lies in several partitions; distributed-tables is not set']);
});
