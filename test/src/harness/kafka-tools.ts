import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { stackEnvironment } from './environment.ts';
import { uniqueName } from './unique-name.ts';

const execute = promisify(execFile);
const maxOutputBytes = 1 << 30;

/** One record as Kafka's own console consumer prints it. Null keys and values are null, not the text `null`. */
export interface ObservedRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly key: string | null;
  readonly value: string | null;
}

/** Runs a class of Kafka's jars: an observer that shares no code with ours. A run starts a JVM (about a second). */
export async function runKafkaClass(className: string, args: readonly string[]): Promise<string> {
  const { kafkaRunClass, kafkaBootstrapServers } = stackEnvironment();
  const [command = '', ...before] = kafkaRunClass;
  const all = [...before, className, '--bootstrap-server', kafkaBootstrapServers, ...args];
  const { stdout } = await execute(command, all, { maxBuffer: maxOutputBytes });
  return stdout;
}

export interface Topic extends AsyncDisposable {
  readonly name: string;
}

/** A topic of the test's own, deleted with its scope. */
export async function createTopic(
  partitions: number,
  options: { readonly name?: string; readonly config?: Readonly<Record<string, string>> } = {},
): Promise<Topic> {
  const name = options.name ?? uniqueName('test');
  const config = Object.entries(options.config ?? {}).flatMap(([key, value]) => ['--config', `${key}=${value}`]);
  await runKafkaClass(topicCommand, ['--create', '--topic', name, '--partitions', String(partitions), ...config]);
  return {
    name,
    async [Symbol.asyncDispose]() {
      await runKafkaClass(topicCommand, ['--delete', '--if-exists', '--topic', name]);
    },
  };
}

const topicCommand = 'org.apache.kafka.tools.TopicCommand';

/** Removes every topic whose name starts with `prefix`. */
export async function deleteTopics(prefix: string): Promise<void> {
  const pattern = `${prefix.replaceAll('.', String.raw`\.`)}.*`;
  await runKafkaClass(topicCommand, ['--delete', '--if-exists', '--topic', pattern]);
}

/** Names of all topics that are not the broker's own. */
export async function listTopics(): Promise<readonly string[]> {
  const text = await runKafkaClass(topicCommand, ['--list', '--exclude-internal']);
  return text.split('\n').filter((line) => line !== '');
}

/** End offset per partition (the next offset to be written). */
export async function endOffsets(topic: string): Promise<ReadonlyMap<number, bigint>> {
  const text = await runKafkaClass('org.apache.kafka.tools.GetOffsetShell', ['--topic', topic]);
  const lines = text.split('\n').filter((line) => line.startsWith(`${topic}:`));
  return new Map(
    lines.map((line) => {
      const [partition = '', offset = ''] = line.slice(topic.length + 1).split(':');
      return [Number(partition), BigInt(offset)];
    }),
  );
}

// Control characters that JSON text never holds unescaped.
const field = '\u0001';
const record = '\u0002';
const noText = '\u0003';
const betweenHeaders = '\u0004';

/**
 * Reads a topic from its earliest offset until nothing arrived for `idleMs`. Order is per partition.
 * `committedOnly` hides aborted and open transactions.
 */
export async function consumeTopic(
  topic: string,
  options: { readonly idleMs?: number; readonly committedOnly?: boolean } = {},
): Promise<readonly ObservedRecord[]> {
  const properties = {
    'print.partition': 'true',
    'print.offset': 'true',
    'print.timestamp': 'true',
    'print.headers': 'true',
    'print.key': 'true',
    'key.separator': field,
    'headers.separator': betweenHeaders,
    'line.separator': record,
    'null.literal': noText,
  };
  const text = await runKafkaClass('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    '--topic',
    topic,
    '--from-beginning',
    '--timeout-ms',
    String(options.idleMs ?? 2000),
    '--isolation-level',
    options.committedOnly === true ? 'read_committed' : 'read_uncommitted',
    ...Object.entries(properties).flatMap(([key, value]) => ['--property', `${key}=${value}`]),
  ]);
  return text.split(record).slice(0, -1).map(parseRecord);
}

function parseRecord(line: string): ObservedRecord {
  const [timestamp = '', partition = '', offset = '', headers = '', key = '', value = ''] = line.split(field);
  return {
    partition: Number(partition.replace('Partition:', '')),
    offset: BigInt(offset.replace('Offset:', '')),
    timestampMs: Number(timestamp.slice(timestamp.indexOf(':') + 1)),
    headers: parseHeaders(headers),
    key: key === noText ? null : key,
    value: value === noText ? null : value,
  };
}

function parseHeaders(text: string): Readonly<Record<string, string>> {
  if (text === 'NO_HEADERS') return {};
  return Object.fromEntries(
    text.split(betweenHeaders).map((header) => {
      const colon = header.indexOf(':');
      return [header.slice(0, colon), header.slice(colon + 1)];
    }),
  );
}
