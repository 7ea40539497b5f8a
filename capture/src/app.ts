import type { CapturePipeline } from '@millrace/shared/config/pipeline.ts';
import type { ProgramDefinition } from '@millrace/shared/program/program.ts';
import { millraceVersion } from '@millrace/shared/program/version.ts';

import { CaptureSession } from './app/capture-session.ts';
import { planCapture } from './app/plan.ts';

/** `millrace-capture`: a database into Kafka. */
export const captureProgram: ProgramDefinition<CapturePipeline> = {
  name: 'millrace-capture',
  kind: 'capture',
  version: millraceVersion,
  run: (pipeline, context, signal) => new CaptureSession(pipeline, context).run(signal),
  plan: planCapture,
};
