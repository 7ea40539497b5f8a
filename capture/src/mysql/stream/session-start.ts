import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { Query } from '../catalogue.ts';
import { GtidSet } from '../gtid-set.ts';
import { readLogFiles, readServerFacts, replicaStatusStatement } from '../server-facts.ts';
import type { ServerFacts } from '../server-facts.ts';
import type { LogProgress } from './log-progress.ts';

export interface SessionStart {
  readonly facts: ServerFacts;
  readonly byGtid: boolean;
  /** Executed at the server now; null without GTIDs. */
  readonly head: GtidSet | null;
  /** Server clock minus ours. */
  readonly clockOffsetMicros: number;
}

function lost(message: string, details: Record<string, string | number>): CdcError {
  return new CdcError('SOURCE_POSITION_LOST', message, { details });
}

/** The server lacks transactions that were read from it: it may be a replica that catches up, so that waiting helps. */
export class BehindError extends Error {
  readonly error: CdcError;
  readonly replica: boolean;

  constructor(error: CdcError, replica: boolean) {
    super(error.message);
    this.error = error;
    this.replica = replica;
  }
}

/**
 * Checks, before each dump, that the server can continue exactly where the stream stopped (T107, T108, T111). Throws
 * `SOURCE_POSITION_LOST` with the missing part, or `BehindError`.
 */
export async function verifyStart(query: Query, progress: LogProgress, signal: AbortSignal): Promise<SessionStart> {
  const facts = await readServerFacts(query, signal);
  const before = Date.now();
  const [clock] = await query(
    'SELECT UNIX_TIMESTAMP(NOW(6)) AS now, @@global.gtid_executed AS executed, @@global.gtid_purged AS purged',
    signal,
    'reading executed transactions',
  );
  const ours = (before + Date.now()) * 500;
  const clockOffsetMicros = Math.round(Number(clock?.['now'] ?? 0) * 1_000_000 - ours);
  const byGtid = progress.executed !== null && facts.gtids;
  const head = byGtid ? GtidSet.parse(clock?.['executed'] ?? '') : null;
  if (head !== null && progress.executed !== null) {
    const purged = GtidSet.parse(clock?.['purged'] ?? '');
    await verifyGtids(query, facts, progress.executed, head, purged, signal);
  } else {
    await verifyFile(query, facts, progress, signal);
  }
  return { facts, byGtid, head, clockOffsetMicros };
}

async function verifyGtids(
  query: Query,
  facts: ServerFacts,
  stored: GtidSet,
  executed: GtidSet,
  purged: GtidSet,
  signal: AbortSignal,
): Promise<void> {
  const missing = purged.subtract(stored);
  if (!missing.isEmpty) {
    throw lost('the log that the checkpoint needs is gone', { missing: missing.toString(), server: facts.serverUuid });
  }
  const errant = stored.subtract(executed);
  if (errant.isEmpty) return;
  const replica = (await query(replicaStatusStatement(facts.version), signal, 'reading replica status')).length > 0;
  throw new BehindError(
    lost('the source lacks transactions that were read from it', {
      lacking: errant.toString(),
      server: facts.serverUuid,
    }),
    replica,
  );
}

async function verifyFile(query: Query, facts: ServerFacts, progress: LogProgress, signal: AbortSignal): Promise<void> {
  const { file, position, serverUuid } = progress;
  if (serverUuid !== facts.serverUuid) {
    throw lost('the position belongs to another server', { stored: serverUuid, found: facts.serverUuid });
  }
  const files = await readLogFiles(query, signal);
  const found = files.find(({ name }) => name === file);
  if (found === undefined) {
    throw lost('the log file that the checkpoint needs is gone', { file, oldest: files[0]?.name ?? 'none' });
  }
  if (position > found.bytes) {
    throw lost('the position is not in the log file of the source', { file, position, size: found.bytes });
  }
}
