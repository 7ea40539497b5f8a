import type { TopicPartition } from '../destination.ts';
import type { SourceTable } from '../project/source-table.ts';

/**
 * Notices what `distributed-tables` speaks of: a topic with several tables, a table in several partitions. Both are
 * read rightly with and without the option; where it is not set a person is told once.
 */
export class DistributionWatch {
  readonly #tellOnce: (message: string, table: string, topic: string) => void;
  readonly #tables = new Map<string, Set<string>>();
  readonly #partitions = new Map<string, Set<number>>();
  #told = false;

  constructor(tellOnce: (message: string, table: string, topic: string) => void) {
    this.#tellOnce = tellOnce;
  }

  met(table: SourceTable, { topic, partition }: TopicPartition): void {
    if (this.#told) return;
    const tables = this.#tables.get(topic) ?? new Set();
    this.#tables.set(topic, tables.add(table.text));
    const key = `${topic} ${table.text}`;
    const partitions = this.#partitions.get(key) ?? new Set();
    this.#partitions.set(key, partitions.add(partition));
    if (tables.size > 1) this.#tell('a topic holds several tables; distributed-tables is not set', table.text, topic);
    else if (partitions.size > 1) {
      this.#tell('a table lies in several partitions; distributed-tables is not set', table.text, topic);
    }
  }

  #tell(message: string, table: string, topic: string): void {
    this.#told = true;
    this.#tellOnce(message, table, topic);
  }
}
