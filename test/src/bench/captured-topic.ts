import type { CaptureInput } from './capture-input.ts';
import type { SideResult } from './measure.ts';
import { childProcess } from './side-process.ts';
import type { CaptureTarget } from './pipeline-documents.ts';
import type { Workload } from './workload.ts';

/** Captures a stretch into a topic; further stretches of the same pipeline go on from its checkpoint. */
export async function captureInto(workload: Workload, target: CaptureTarget): Promise<void> {
  const input: CaptureInput = { workload, start: 'stretch', prefix: target.topic, target };
  await childProcess<SideResult>('capture', 'capture', input);
}
