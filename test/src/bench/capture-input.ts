import type { CaptureTarget } from './pipeline-documents.ts';
import type { Workload } from './workload.ts';

export interface CaptureInput {
  readonly workload: Workload;
  readonly start: 'stretch' | 'snapshot';
  /** Names of topics and pipelines that are made for one run start so. */
  readonly prefix: string;
  /** Null = a fresh topic and pipeline. */
  readonly target: CaptureTarget | null;
}

export interface ProducerPerfInput {
  readonly payloadFile: string;
  readonly records: number;
  readonly prefix: string;
}

export interface TableReadInput {
  readonly database: string;
  readonly table: string;
  readonly rows: number;
}
