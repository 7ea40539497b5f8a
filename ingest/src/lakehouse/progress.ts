import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { parseExactJson, printExactJson } from './iceberg/exact-json.ts';
import type { Json, JsonObject } from './iceberg/exact-json.ts';

/** How far one Kafka partition has been applied, and by whom. */
export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: bigint;
  readonly nextOffset: bigint;
  /** Last position token of streamed records per `source NUL table`, as of `nextOffset`. */
  readonly marks: ReadonlyMap<string, string>;
}

/** By `partitionKey`. */
export type Progress = ReadonlyMap<string, PartitionProgress>;

export function partitionKey(at: { readonly topic: string; readonly partition: number }): string {
  return `${at.topic}-${at.partition}`;
}

/** The three maps as the tables and the ledger hold them: `{topic: {partition: …}}`. */
export interface ProgressTexts {
  readonly offsets: string;
  readonly epochs: string;
  readonly marks: string;
}

const separator = '\u0000';

function printMap(progress: Progress, value: (of: PartitionProgress) => Json): string {
  const topics: Record<string, Record<string, Json>> = {};
  for (const of of progress.values()) {
    topics[of.topic] ??= {};
    (topics[of.topic] as Record<string, Json>)[String(of.partition)] = value(of);
  }
  return printExactJson(topics);
}

/** Marks nest by source and table; a name without a separator stands for itself. */
function marksJson(marks: ReadonlyMap<string, string>): Json {
  const sources: Record<string, string | Record<string, string>> = {};
  for (const [name, token] of marks) {
    const at = name.indexOf(separator);
    if (at < 0) {
      sources[name] = token;
      continue;
    }
    const source = name.slice(0, at);
    const tables = sources[source];
    if (typeof tables === 'object') tables[name.slice(at + 1)] = token;
    else sources[source] = { [name.slice(at + 1)]: token };
  }
  return sources;
}

function marksOf(json: Json | undefined): Map<string, string> {
  const marks = new Map<string, string>();
  for (const [source, tables] of Object.entries((json ?? {}) as JsonObject)) {
    if (typeof tables === 'string') marks.set(source, tables);
    else
      for (const [table, token] of Object.entries(tables as Readonly<Record<string, string>>)) {
        marks.set(source + separator + table, token);
      }
  }
  return marks;
}

export function printProgress(progress: Progress): ProgressTexts {
  return {
    offsets: printMap(progress, (of) => of.nextOffset),
    epochs: printMap(progress, (of) => of.epoch),
    marks: printMap(progress, (of) => marksJson(of.marks)),
  };
}

type Nested = Readonly<Record<string, JsonObject>>;

export function parseProgress(texts: Partial<ProgressTexts>): Map<string, PartitionProgress> {
  const progress = new Map<string, PartitionProgress>();
  try {
    const offsets = parseExactJson(texts.offsets ?? '{}') as Nested;
    const epochs = parseExactJson(texts.epochs ?? '{}') as Nested;
    const marks = parseExactJson(texts.marks ?? '{}') as Nested;
    for (const [topic, partitions] of Object.entries(offsets)) {
      for (const [partition, nextOffset] of Object.entries(partitions)) {
        const entry = {
          topic,
          partition: Number(partition),
          epoch: BigInt((epochs[topic]?.[partition] ?? 0) as number),
          nextOffset: BigInt(nextOffset as number),
          marks: marksOf(marks[topic]?.[partition]),
        };
        progress.set(partitionKey(entry), entry);
      }
    }
  } catch (error) {
    throw new CdcError('CHECKPOINT_UNREADABLE', 'the offsets stored with the table do not parse', { cause: error });
  }
  return progress;
}

const names = ['offsets', 'epochs', 'marks'] as const;

/** Reads the maps of one commit user from table properties. */
export function progressFromProperties(
  properties: Readonly<Record<string, string>>,
  commitUser: string,
): Map<string, PartitionProgress> {
  const texts: { -readonly [N in keyof ProgressTexts]?: string } = {};
  for (const name of names) {
    const text = properties[`millrace.${name}.${commitUser}`];
    if (text !== undefined) texts[name] = text;
  }
  return parseProgress(texts);
}

export function progressProperties(progress: Progress, commitUser: string): Record<string, string> {
  const texts = printProgress(progress);
  return Object.fromEntries(names.map((name) => [`millrace.${name}.${commitUser}`, texts[name]]));
}

export function progressSummary(
  progress: Progress,
  commitUser: string,
  sourceTimeMicros: number,
): Record<string, string> {
  const texts = printProgress(progress);
  return {
    'millrace.commit-user': commitUser,
    ...Object.fromEntries(names.map((name) => [`millrace.${name}`, texts[name]])),
    'millrace.source-ts': String(sourceTimeMicros),
  };
}
