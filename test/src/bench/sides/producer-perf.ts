import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

import { stackEnvironment } from '../../harness/environment.ts';
import { uniqueName } from '../../harness/unique-name.ts';
import { countRecords, createBenchTopic } from '../bench-topic.ts';
import type { ProducerPerfInput } from '../capture-input.ts';
import { startClock } from '../measure.ts';
import { producerSettings, topicPartitions } from '../pipeline-documents.ts';
import { peakRssBytes } from '../process-times.ts';
import { answer, sideInput } from '../side-process.ts';

/** Kafka's own producer benchmark with its usual heap and the optimising compiler, which the stack's short tools lack. */
function command(): readonly string[] {
  const { kafkaRunClass } = stackEnvironment();
  if (kafkaRunClass[0] !== 'java') throw new Error('producer-perf needs the native stack: it reads a local file');
  return kafkaRunClass
    .filter((part) => part !== '-XX:TieredStopAtLevel=1')
    .map((part) => (part.startsWith('-Xmx') ? '-Xmx512m' : part));
}

async function run(topic: string, records: number, payloadFile: string) {
  const { compression, batchBytes, lingerMs } = producerSettings;
  const properties = [
    `bootstrap.servers=${stackEnvironment().kafkaBootstrapServers}`,
    'acks=all',
    `compression.type=${compression}`,
    // The level of our producer.
    'compression.zstd.level=1',
    `batch.size=${batchBytes}`,
    `linger.ms=${lingerMs}`,
  ];
  const [java = '', ...before] = command();
  const args = ['--topic', topic, '--num-records', String(records), '--throughput', '-1'];
  const all = [...before, 'org.apache.kafka.tools.ProducerPerformance', ...args, '--payload-file', payloadFile];
  const stop = startClock();
  const child = spawn(java, [...all, '--producer-props', ...properties], { stdio: ['ignore', 'pipe', 'inherit'] });
  let peak: number | null = null;
  const watch = setInterval(() => {
    peak = peakRssBytes(child.pid ?? 0) ?? peak;
  }, 50);
  const exited = once(child, 'exit');
  const output = await text(child.stdout);
  const [code] = await exited;
  clearInterval(watch);
  if (code !== 0) throw new Error(`producer-perf failed:\n${output}`);
  const last = [...output.matchAll(/([\d.]+) records sent, ([\d.]+) records\/sec/g)].at(-1);
  if (Number(last?.[1]) !== records) throw new Error(`no result in:\n${output}`);
  return { measured: stop(), recordsPerSecond: Number(last?.[2]), peak };
}

/** The yardstick: real payloads at random, same codec, level, batch size, acknowledgement and partitions. */
const { payloadFile, records, prefix } = await sideInput<ProducerPerfInput>();
const topic = uniqueName(prefix);
await createBenchTopic(topic, topicPartitions);
// Its start and the reading of the payloads are not its work.
const start = await run(topic, 1, payloadFile);
const { measured, recordsPerSecond, peak } = await run(topic, records, payloadFile);
const stored = (await countRecords(topic)) - 1;
if (stored !== records) throw new Error(`${stored} of ${records} records were stored`);
const cpuSeconds = measured.cpuSeconds === null ? null : measured.cpuSeconds - (start.measured.cpuSeconds ?? 0);
answer({ ...measured, rows: records, seconds: records / recordsPerSecond, cpuSeconds, peakRssBytes: peak });
