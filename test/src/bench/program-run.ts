import type { Pipeline } from '@millrace/shared/config/pipeline.ts';
import { DescriptorSink } from '@millrace/shared/observe/descriptor-sink.ts';
import { createLogger } from '@millrace/shared/observe/logger.ts';
import { Metrics } from '@millrace/shared/observe/metrics.ts';
import { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';
import type { PipelineStatusOptions } from '@millrace/shared/observe/pipeline-status.ts';
import type { PipelineState } from '@millrace/shared/observe/status-snapshot.ts';
import type { ProgramDefinition } from '@millrace/shared/program/program.ts';

import { startClock } from './measure.ts';
import type { Measured } from './measure.ts';

class ObservedStatus extends PipelineStatus {
  readonly #onRunning: () => void;

  constructor(options: PipelineStatusOptions, onRunning: () => void) {
    super(options);
    this.#onRunning = onRunning;
  }

  override enter(state: PipelineState, reason: string | null = null): void {
    super.enter(state, reason);
    if (state === 'running') this.#onRunning();
  }
}

const standardError = 2;

/**
 * One attempt of a program of ours in this process, until everything that was there is durable and its position is
 * stored. The clock runs from `running` (connected, checked, topics and tables made or partitions assigned) to the end.
 */
export async function runProgramOnce<P extends Pipeline>(
  program: ProgramDefinition<P>,
  document: P,
): Promise<Measured> {
  const { name: pipeline } = document;
  const { kind, version } = program;
  const logger = createLogger({ level: 'error', sink: new DescriptorSink(standardError), terminal: true });
  let stop: (() => Measured) | undefined;
  const status = new ObservedStatus({ pipeline, kind, version }, () => {
    stop ??= startClock();
  });
  const context = { file: 'bench.yaml', logger, status, metrics: new Metrics(pipeline, kind), untilIdle: true };
  await program.prepare(document, context)({ fromScratch: false }, new AbortController().signal);
  if (stop === undefined) throw new Error('the program never ran');
  return stop();
}
