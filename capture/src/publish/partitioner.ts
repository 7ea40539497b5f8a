import { assertNever } from '@millrace/shared/errors/cdc-error.ts';
import { murmur2, partitionOf } from '@millrace/shared/kafka/murmur2.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

export type PartitionStrategy = 'all-to-zero' | 'hash-by-key' | 'hash-by-table';

/** Partition of a key in `bytes[start, end)`. */
export type Partitioner = (bytes: Buffer, start: number, end: number) => number;

/** kafka-records §4. The count is fixed for the life of the partitioner: a topic that grows keeps its old keys' places. */
export function partitioner(strategy: PartitionStrategy, id: TableId, partitionCount: number): Partitioner {
  switch (strategy) {
    case 'all-to-zero':
      return () => 0;
    case 'hash-by-table': {
      const text = Buffer.from(tableIdText(id));
      const fixed = partitionOf(murmur2(text, 0, text.length), partitionCount);
      return () => fixed;
    }
    case 'hash-by-key':
      return (bytes, start, end) => partitionOf(murmur2(bytes, start, end), partitionCount);
    default:
      return assertNever(strategy);
  }
}
