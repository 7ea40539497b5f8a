import type { IngestPipeline } from '@millrace/shared/config/pipeline.ts';
import { kafkaSecrets } from '@millrace/shared/kafka/options-from-document.ts';
import type { ProgramDefinition } from '@millrace/shared/program/program.ts';
import { millraceVersion as version } from '@millrace/shared/program/version.ts';

import { planIngest, renderPlan } from './app/plan.ts';
import { runPipeline } from './app/run-pipeline.ts';
import { IngestReport } from './pipeline/ingest-report.ts';

/** `millrace-ingest`: Kafka into one destination. */
export const ingestProgram: ProgramDefinition<IngestPipeline> = {
  name: 'millrace-ingest',
  kind: 'ingest',
  version,
  secrets: ({ source, sink }) => [...kafkaSecrets(source.client), ...(sink.kind === 'postgres' ? [sink.password] : [])],
  prepare: (pipeline, { logger, metrics, status, untilIdle }) => {
    const watchDistribution = pipeline.source.distributedTables === null;
    const observer = new IngestReport({ metrics, status, log: logger, watchDistribution });
    const onReady = (): void => status.markLoaded();
    return (_options, signal) => runPipeline(pipeline, { version, untilIdle, log: logger, observer, onReady }, signal);
  },
  plan: async (pipeline, _context, signal) => {
    const plan = await planIngest(pipeline, version, signal);
    return { lines: renderPlan(plan), data: { ...plan } };
  },
};
