import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import { codes } from '@millrace/shared/errors/codes.ts';
import type { ErrorCode } from '@millrace/shared/errors/codes.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';
import { z } from 'zod';

import type { TableProgress } from '../snapshot/progress.ts';
import type { ChunkBound } from '../source.ts';

export type TableState =
  | { readonly state: 'live' }
  | { readonly state: 'snapshotting'; readonly progress: TableProgress }
  /** Stopped by an error of its own; later changes of it are not in the topic. */
  | { readonly state: 'stopped'; readonly code: ErrorCode; readonly message: string };

export interface KnownTopic {
  readonly id: string;
  /** The count that keys are hashed with; stays when the topic grows. */
  readonly partitions: number;
}

/** What a restart needs. Everything before `resume` and every finished chunk is held by the brokers. */
export interface CheckpointState {
  /** Rises with each start of the pipeline; the newer writer is the right one. */
  readonly writerEpoch: number;
  readonly resume: ResumePoint;
  readonly tables: Readonly<Record<string, TableState>>;
  /** Topics written to: a topic that vanished, was made anew, or grew is noticed by comparing. */
  readonly topics: Readonly<Record<string, KnownTopic>>;
}

const bound = z
  .string()
  .transform((text) => text as ChunkBound)
  .nullable();
const range = z.object({ from: bound, to: bound, chunk: z.number().int() });
const progress = z.object({
  kind: z.enum(['initial', 'resync']),
  frontier: bound,
  planned: z.boolean(),
  open: z.array(range),
  nextChunk: z.number().int(),
  chunksDone: z.number().int(),
  rowsDone: z.number(),
  rowsEstimated: z.number(),
});
const code = z.string().transform((text, context) => {
  if (text in codes) return text as ErrorCode;
  context.addIssue('unknown error code');
  return z.NEVER;
});
const shape = z.object({
  version: z.literal(1),
  writerEpoch: z.number().int(),
  resume: z.string().transform((text) => text as ResumePoint),
  topics: z.record(z.string(), z.object({ id: z.string(), partitions: z.number().int() })),
  tables: z.record(
    z.string(),
    z.discriminatedUnion('state', [
      z.object({ state: z.literal('live') }),
      z.object({ state: z.literal('snapshotting'), progress }),
      z.object({ state: z.literal('stopped'), code, message: z.string() }),
    ]),
  ),
});

export function encodeCheckpoint(state: CheckpointState): string {
  return JSON.stringify({ version: 1, ...state });
}

export function decodeCheckpoint(text: string): CheckpointState {
  try {
    const { writerEpoch, resume, tables, topics } = shape.parse(JSON.parse(text));
    return { writerEpoch, resume, tables, topics };
  } catch (error) {
    throw new CdcError('CHECKPOINT_UNREADABLE', 'the checkpoint does not parse', { cause: error });
  }
}
