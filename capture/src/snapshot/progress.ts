import type { ChunkBound, ChunkRange } from '../source.ts';

/** Snapshot state of one table as kept in checkpoints. Immutable: each step makes a new one. */
export interface TableProgress {
  readonly kind: 'initial' | 'resync';
  /** Start of the first chunk that is not planned yet; null before the first. */
  readonly frontier: ChunkBound | null;
  /** The last chunk has been planned. */
  readonly planned: boolean;
  /** Planned chunks whose rows are not all published. */
  readonly open: readonly NumberedRange[];
  readonly nextChunk: number;
  readonly chunksDone: number;
  readonly rowsDone: number;
  readonly rowsEstimated: number;
}

export interface NumberedRange extends ChunkRange {
  readonly chunk: number;
}

export function startProgress(kind: 'initial' | 'resync', rowsEstimated: number): TableProgress {
  return {
    kind,
    frontier: null,
    planned: false,
    open: [],
    nextChunk: 0,
    chunksDone: 0,
    rowsDone: 0,
    rowsEstimated,
  };
}

/** Plans the chunk `[frontier, to)`; `to` null ends the planning. */
export function planChunk(
  progress: TableProgress,
  to: ChunkBound | null,
): { progress: TableProgress; range: NumberedRange } {
  const range = { from: progress.frontier, to, chunk: progress.nextChunk };
  return {
    range,
    progress: {
      ...progress,
      frontier: to,
      planned: to === null,
      open: [...progress.open, range],
      nextChunk: progress.nextChunk + 1,
    },
  };
}

export function finishChunk(progress: TableProgress, chunk: number, rows: number): TableProgress {
  return {
    ...progress,
    open: progress.open.filter((range) => range.chunk !== chunk),
    chunksDone: progress.chunksDone + 1,
    rowsDone: progress.rowsDone + rows,
  };
}

export function isComplete(progress: TableProgress): boolean {
  return progress.planned && progress.open.length === 0;
}
