import type { ResumePoint } from '@millrace/shared/event/position.ts';

import { startProgress } from '../snapshot/progress.ts';
import type { CheckpointState, TableState } from './checkpoint-state.ts';

/** What happens with a matching table that the checkpoint does not know. */
export type NewTables = 'ignore' | 'snapshot' | 'stream-from-create';

export interface StartFacts {
  readonly checkpoint: CheckpointState | null;
  /** Table id texts that the selectors match at the source, now. */
  readonly matching: readonly string[];
  /** The start mode reads existing rows. */
  readonly snapshot: boolean;
  readonly newTables: NewTables;
  /** Where to begin without a checkpoint. */
  readonly resume: ResumePoint;
}

export interface StartState {
  readonly state: CheckpointState;
  /** Matching tables that are not captured, because they came after the checkpoint and the document does not ask for them. */
  readonly ignored: readonly string[];
}

/** Decides from the checkpoint and the catalogue what each table is at the start. Pure. */
export function startState(facts: StartFacts): StartState {
  const { checkpoint } = facts;
  if (checkpoint === null) {
    const fresh: TableState = facts.snapshot
      ? { state: 'snapshotting', progress: startProgress('initial', 0) }
      : { state: 'live' };
    const tables = Object.fromEntries(facts.matching.map((table) => [table, fresh]));
    return { state: { writerEpoch: 1, resume: facts.resume, tables, topics: {} }, ignored: [] };
  }
  const tables: Record<string, TableState> = {};
  const ignored: string[] = [];
  for (const table of facts.matching) {
    const known = checkpoint.tables[table];
    if (known !== undefined) tables[table] = known;
    else if (facts.newTables === 'snapshot')
      tables[table] = { state: 'snapshotting', progress: startProgress('resync', 0) };
    // Made while the capture was down: its CREATE is still to come in the log.
    else if (facts.newTables === 'ignore') ignored.push(table);
  }
  const { resume, topics } = checkpoint;
  return { state: { writerEpoch: checkpoint.writerEpoch + 1, resume, tables, topics }, ignored };
}
