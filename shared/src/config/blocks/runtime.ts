import type { Block } from '../declare/block.ts';
import { boolean, duration, integer, list, oneOf, size, text } from '../declare/option-type.ts';
import { collected, defaulted, notYet, optional, refused, withoutEffect } from '../declare/option.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { isLoopback } from './context.ts';
import { isTopicName, topicRule } from './topic-mapping.ts';

const flinkTopology = 'Flink topology: there are no operators here';
const noForeignCode = 'no foreign code runs here';
const deadLetters = `dead letters: ${notYet}; a record that does not decode stops the pipeline`;
const otherBehavior = { as: 'refused', reason: `${notYet}; use LENIENT` } as const;

/** `pipeline`. */
export const runtimeDeclarations = {
  name: optional(text(), {
    doc: 'Identity of checkpoint, group and commit user; default the file name without suffix',
  }),
  parallelism: optional(integer({ min: 1 }), {
    doc: 'Default of scan.snapshot.parallelism and sink.parallelism',
    status: 'D',
  }),
  'local-time-zone': defaulted(oneOf(['UTC']), 'UTC', { doc: 'Zone of NOW, CAST and DATE_FORMAT' }),
  'execution.runtime-mode': defaulted(oneOf(['STREAMING']), 'STREAMING', {
    doc: 'Streaming',
    status: 'D',
    notes: { batch: { as: 'refused', reason: `${notYet}; use run --until-idle` } },
  }),
  'schema.change.behavior': defaulted(oneOf(['LENIENT', 'EVOLVE', 'TRY_EVOLVE', 'IGNORE', 'EXCEPTION']), 'LENIENT', {
    doc: 'What DDL does to destinations; LENIENT in this version',
  }),
  'route-mode': defaulted(oneOf(['ALL_MATCH', 'FIRST_MATCH']), 'ALL_MATCH', { doc: 'One table to many, or to one' }),
  'sink.partitioning.strategy': withoutEffect(flinkTopology),
  'operator.uid.prefix': withoutEffect(flinkTopology),
  'schema.operator.uid': withoutEffect(flinkTopology),
  'schema-operator.rpc-timeout': withoutEffect(flinkTopology),
  'transform.decimal.precision.mode': withoutEffect('decimals are exact'),
  'transform.allow.trimming.pk-columns': defaulted(boolean, 'false', {
    doc: 'Projections without a key column',
    later: notYet,
  }),
  'user-defined-function': refused(noForeignCode),
  'user-defined-function.*': refused(noForeignCode),
  model: refused(noForeignCode),
  'model.*': refused(noForeignCode),
  'dirty-data.collector.*': collected({ doc: 'Dead letters in the log', status: 'D', later: deadLetters }),
  'checkpoint.store': defaulted(oneOf(['kafka', 'file']), 'kafka', {
    doc: 'capture: a compacted topic, or a file under state.dir',
  }),
  'checkpoint.topic': defaulted(text(), 'millrace.checkpoints', { doc: 'Compacted topic of checkpoints' }),
  'state.dir': defaulted(text({ label: 'directory' }), './state', { doc: 'Local state' }),
  'checkpoint.interval': defaulted(duration({ min: 1 }), '1s', {
    doc: 'How often positions are stored',
    aliases: ['execution.checkpointing.interval'],
  }),
  'memory.limit': defaulted(size(), '256mb', { doc: 'Records in flight' }),
  'retry.initial-delay': defaulted(duration({ min: 1 }), '1s', { doc: 'Before the first retry of the pipeline' }),
  'retry.max-delay': defaulted(duration({ min: 1 }), '1min', { doc: 'Longest pause between retries' }),
  'retry.max-attempts': defaulted(integer({ min: -1 }), '-1', { doc: '-1 = without end' }),
  'dead-letter.policy': defaulted(oneOf(['dead-letter', 'stop']), 'dead-letter', {
    doc: 'Both stop before the record in this version',
  }),
  'dead-letter.target': defaulted(text(), 'destination', { doc: 'Where dead letters go', later: deadLetters }),
  'dead-letter.max-count': defaulted(integer({ min: -1 }), '1000', { doc: 'Limit', later: deadLetters }),
  'dead-letter.park-keys': defaulted(boolean, 'true', { doc: 'Later events of that key wait', later: deadLetters }),
  'metrics.host': defaulted(text(), '127.0.0.1', { doc: 'Address of metrics, health and console' }),
  'metrics.port': optional(integer({ min: -1, max: 65_535 }), {
    doc: 'Default 7070 capture, 7071 ingest; 0 = any, -1 = off',
  }),
  'console.auth': optional(oneOf(['token', 'proxy', 'none']), {
    doc: 'Default token; must be given for a metrics.host off loopback; none only on loopback',
  }),
  'console.peers': optional(list(), { doc: 'Other processes on the same page', later: notYet }),
  'log.level': defaulted(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal']), 'info', { doc: 'Least level' }),
  'allow-insecure': defaulted(boolean, 'false', { doc: 'SASL PLAIN over plaintext off loopback' }),
  'alerts.*': collected({ doc: 'Alert rules', status: 'D', later: notYet }),
  'traces.otlp.endpoint': optional(text({ label: 'URL' }), { doc: 'Traces', status: 'D', own: true, later: notYet }),
};

export type RuntimeBlock = Block<typeof runtimeDeclarations>;

function checkBehavior(block: RuntimeBlock, kind: 'capture' | 'ingest'): void {
  const behavior = block.values['schema.change.behavior'] ?? 'LENIENT';
  if (behavior === 'LENIENT') return;
  if (kind === 'capture' && behavior !== 'EXCEPTION') {
    block.warning('schema.change.behavior', 'has no effect: it is the reading side that applies schema changes');
  } else {
    block.problem('unsupported', 'schema.change.behavior', otherBehavior.reason);
  }
}

function checkConsole(block: RuntimeBlock): void {
  const host = block.values['metrics.host'] ?? '127.0.0.1';
  if (isLoopback(host) || block.values['metrics.port'] === -1) return;
  if (!block.given('console.auth')) {
    block.problem('conflict', 'metrics.host', 'a host off loopback needs console.auth: token or proxy');
  } else if (block.values['console.auth'] === 'none') {
    block.problem('conflict', 'console.auth', 'none only on loopback');
  }
}

const captureOnly = ['checkpoint.store', 'checkpoint.topic', 'checkpoint.interval', 'state.dir'] as const;

/** Options that only the other program reads. */
function warnOtherKind(block: RuntimeBlock, kind: 'capture' | 'ingest'): void {
  if (kind === 'capture') {
    if (block.given('dead-letter.policy'))
      block.warning('dead-letter.policy', 'has no effect: capture sets no record aside');
    return;
  }
  const given = captureOnly.filter((name) => block.given(name));
  const [first] = given;
  if (first === undefined) return;
  block.warning(first, `has no effect: an ingest keeps its offsets at the destination (${given.join(', ')})`);
}

/** Null after a problem, which is reported. */
export function buildRuntime(block: RuntimeBlock, kind: 'capture' | 'ingest'): RuntimeOptions | null {
  checkBehavior(block, kind);
  checkConsole(block);
  const topic = block.values['checkpoint.topic'] ?? null;
  if (topic !== null && !isTopicName(topic)) block.problem('syntax', 'checkpoint.topic', `expected ${topicRule}`);
  if ((block.values['retry.max-delay'] ?? Infinity) < (block.values['retry.initial-delay'] ?? 0)) {
    block.problem('conflict', 'retry.max-delay', 'shorter than retry.initial-delay');
  }
  if (kind === 'ingest' && block.values['dead-letter.policy'] !== 'stop') {
    const text = 'dead letters are not in this version: a record that does not decode stops the pipeline, as stop says';
    block.warning('dead-letter.policy', text);
  }
  warnOtherKind(block, kind);
  const values = block.complete;
  if (values === null) return null;
  const defaultPort = kind === 'capture' ? 7070 : 7071;
  const port = values['metrics.port'];
  const attempts = values['retry.max-attempts'];
  return {
    checkpoint: {
      store: values['checkpoint.store'],
      topic: values['checkpoint.topic'],
      intervalMs: values['checkpoint.interval'],
    },
    stateDir: values['state.dir'],
    stateDirGiven: block.given('state.dir'),
    memoryLimitBytes: values['memory.limit'],
    retry: {
      initialDelayMs: values['retry.initial-delay'],
      maxDelayMs: values['retry.max-delay'],
      maxAttempts: attempts === -1 ? null : attempts,
    },
    metrics: {
      host: values['metrics.host'],
      port: port === -1 ? null : (port ?? defaultPort),
      portIsDefault: port === null,
      auth: values['console.auth'] ?? 'token',
    },
    logLevel: values['log.level'],
    routeMode: values['route-mode'] === 'ALL_MATCH' ? 'all-match' : 'first-match',
  };
}
