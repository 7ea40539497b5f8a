import type { CapturePipeline } from '@millrace/shared/config/pipeline.ts';
import type { ProgramDefinition } from '@millrace/shared/program/program.ts';
import { kafkaSecrets } from '@millrace/shared/kafka/options-from-document.ts';
import { millraceVersion } from '@millrace/shared/program/version.ts';

import { CaptureSession } from './app/capture-session.ts';
import { heartbeatPeriodMs } from './app/mysql.ts';
import { planCapture } from './app/plan.ts';
import { Reporting } from './app/reporting.ts';

/** `millrace-capture`: a database into Kafka. */
export const captureProgram: ProgramDefinition<CapturePipeline> = {
  name: 'millrace-capture',
  kind: 'capture',
  version: millraceVersion,
  secrets: ({ source, sink }) => [source.password, ...kafkaSecrets(sink.client)],
  prepare: (pipeline, context) => {
    const reporting = new Reporting(context.status, context.metrics, context.logger, heartbeatPeriodMs(pipeline));
    return ({ fromScratch }, signal) => new CaptureSession(pipeline, context, reporting, fromScratch).run(signal);
  },
  plan: planCapture,
};
