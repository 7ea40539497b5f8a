import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

export interface TopicMapping {
  matches(id: TableId): boolean;
  readonly topic: string;
}

export interface TopicRouteOptions {
  /** Everything goes here; wins over the mapping. */
  readonly topic: string | null;
  /** First match wins. */
  readonly mapping: readonly TopicMapping[];
  readonly prefix: string | null;
}

const illegal = /[^A-Za-z0-9._-]/g;
const longestName = 249;

/** Topic of a routed table id (kafka-records §1): option, mapping, else the id with illegal characters as `_`. */
export function topicOf(id: TableId, options: TopicRouteOptions): string {
  if (options.topic !== null) return options.topic;
  const mapped = options.mapping.find((entry) => entry.matches(id));
  if (mapped !== undefined) return mapped.topic;
  const text = tableIdText(id);
  const name = (options.prefix === null ? text : `${options.prefix}.${text}`).replaceAll(illegal, '_');
  if (name.length > longestName) {
    throw new CdcError('CONFIG_INVALID', 'a default topic name is longer than 249 characters', {
      details: { table: text },
      hint: 'Name the topic in sink.tableId-to-topic.mapping.',
    });
  }
  return name;
}

/** Two tables that meet in one default name only because characters were replaced would mix silently: refused (T74). */
export function checkTopicCollisions(ids: readonly TableId[], options: TopicRouteOptions): void {
  if (options.topic !== null) return;
  const owners = new Map<string, string>();
  for (const id of ids) {
    if (options.mapping.some((entry) => entry.matches(id))) continue;
    const topic = topicOf(id, options);
    const text = tableIdText(id);
    const other = owners.get(topic);
    if (other !== undefined && other !== text) {
      throw new CdcError('CONFIG_INVALID', 'two tables share one default topic name', {
        details: { topic, tables: [other, text] },
        hint: 'Give one of them a topic of its own in sink.tableId-to-topic.mapping.',
      });
    }
    owners.set(topic, text);
  }
}
