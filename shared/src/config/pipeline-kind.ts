import { CdcError } from '../errors/cdc-error.ts';
import type { CapturePipeline, IngestPipeline, Pipeline } from './pipeline.ts';

function otherProgram(file: string, expected: string, program: string): CdcError {
  return new CdcError('CONFIG_INVALID', `the document is not one of ${expected}`, {
    details: { file },
    hint: `Give it to ${program}.`,
  });
}

/** Each program takes its own kind of document; the error names the other program. */
export function expectCapture(pipeline: Pipeline, file: string): CapturePipeline {
  if (pipeline.kind === 'capture') return pipeline;
  throw otherProgram(file, 'capture', 'millrace-ingest');
}

export function expectIngest(pipeline: Pipeline, file: string): IngestPipeline {
  if (pipeline.kind === 'ingest') return pipeline;
  throw otherProgram(file, 'ingest', 'millrace-capture');
}
