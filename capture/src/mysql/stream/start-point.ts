import { assertNever, CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { StartPoint } from '../../source.ts';
import type { Query } from '../catalogue.ts';
import { GtidSet } from '../gtid-set.ts';
import type { LogScan } from './log-scan.ts';
import type { MysqlResume } from '../resume-point.ts';
import { readLogFiles, readLogStatus } from '../server-facts.ts';
import type { LogFile, ServerFacts } from '../server-facts.ts';

export interface StartParts {
  readonly query: Query;
  readonly facts: ServerFacts;
  readonly epoch: number;
  readonly scan: LogScan;
}

const firstPosition = 4;

/** Turns a start mode into an exact resume point. The set of a start in the middle always comes from the server (T110). */
export async function resolveStartPoint(
  start: StartPoint,
  parts: StartParts,
  signal: AbortSignal,
): Promise<MysqlResume> {
  switch (start.kind) {
    case 'now':
      return startNow(parts, signal);
    case 'earliest':
      return startEarliest(parts, signal);
    case 'gtid-set':
      return startAtSet(start.gtidSet, parts, signal);
    case 'file':
      return startAtFile(start, parts, signal);
    case 'timestamp':
      return startAtTime(start.millis, parts, signal);
    default:
      return assertNever(start);
  }
}

function resume(parts: StartParts, gtidSet: string | null, file: string, position: number): MysqlResume {
  return {
    serverUuid: parts.facts.serverUuid,
    gtidSet: parts.facts.gtids ? (gtidSet ?? '') : null,
    file,
    position,
    epoch: parts.epoch,
    notBeforeMicros: 0,
    skipEvents: 0,
    skipRows: 0,
    xaPrepared: [],
  };
}

async function startNow(parts: StartParts, signal: AbortSignal): Promise<MysqlResume> {
  const status = await readLogStatus(parts.query, parts.facts.version, signal);
  return resume(parts, GtidSet.parse(status.executed).toString(), status.file, status.position);
}

async function oldestFile(parts: StartParts, signal: AbortSignal): Promise<LogFile> {
  const [oldest] = await readLogFiles(parts.query, signal);
  if (oldest !== undefined) return oldest;
  throw new CdcError('SOURCE_NOT_READY', 'the binary log is off', { hint: 'Start the server with log_bin set.' });
}

async function gtidSets(parts: StartParts, signal: AbortSignal): Promise<{ purged: GtidSet; executed: GtidSet }> {
  const [row] = await parts.query(
    'SELECT @@global.gtid_purged AS purged, @@global.gtid_executed AS executed',
    signal,
    'reading executed transactions',
  );
  return { purged: GtidSet.parse(row?.['purged'] ?? ''), executed: GtidSet.parse(row?.['executed'] ?? '') };
}

async function startEarliest(parts: StartParts, signal: AbortSignal): Promise<MysqlResume> {
  const oldest = await oldestFile(parts, signal);
  const set = parts.facts.gtids ? (await gtidSets(parts, signal)).purged.toString() : null;
  return resume(parts, set, oldest.name, firstPosition);
}

async function startAtSet(text: string, parts: StartParts, signal: AbortSignal): Promise<MysqlResume> {
  if (!parts.facts.gtids) {
    // T191: an option that cannot be honoured is an error, never another start.
    throw new CdcError('CONFIG_INVALID', 'the server has no GTIDs to start at', {
      hint: 'Start at a log file and position, or set gtid_mode=ON at the source.',
    });
  }
  const wanted = GtidSet.parse(text);
  const { purged, executed } = await gtidSets(parts, signal);
  const missing = purged.subtract(wanted);
  if (!missing.isEmpty) {
    throw new CdcError('SOURCE_POSITION_LOST', 'the log from this GTID set on is gone', {
      details: { missing: missing.toString() },
      hint: `Include what is purged, for instance: ${wanted.completedFrom(executed).union(purged).toString()}`,
    });
  }
  const oldest = await oldestFile(parts, signal);
  return resume(parts, wanted.toString(), oldest.name, firstPosition);
}

async function startAtFile(
  start: Extract<StartPoint, { kind: 'file' }>,
  parts: StartParts,
  signal: AbortSignal,
): Promise<MysqlResume> {
  const files = await readLogFiles(parts.query, signal);
  const found = files.find(({ name }) => name === start.file);
  const position = Math.max(firstPosition, start.position);
  if (found === undefined) {
    throw new CdcError('SOURCE_POSITION_LOST', 'the log file to start at is not on the server', {
      details: { file: start.file, oldest: files[0]?.name ?? 'none', newest: files.at(-1)?.name ?? 'none' },
    });
  }
  if (position > found.bytes) {
    throw new CdcError('SOURCE_POSITION_LOST', 'the position is not in the log file of the source', {
      details: { file: start.file, position, size: found.bytes },
    });
  }
  const set = parts.facts.gtids ? (await parts.scan.executedBefore(start.file, position, signal)).toString() : null;
  const base = resume(parts, set, start.file, position);
  return { ...base, skipEvents: start.skipEvents, skipRows: start.skipRows };
}

/** The last file that was surely begun before the time (its own time is in whole seconds): binary search over the files. */
async function startAtTime(millis: number, parts: StartParts, signal: AbortSignal): Promise<MysqlResume> {
  const files = await readLogFiles(parts.query, signal);
  let low = 0;
  let high = files.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    const seconds = await parts.scan.createdSeconds((files[middle] as LogFile).name, signal);
    if ((seconds + 1) * 1000 <= millis) low = middle;
    else high = middle - 1;
  }
  const file = files[low]?.name ?? (await oldestFile(parts, signal)).name;
  const set = parts.facts.gtids ? (await parts.scan.executedBefore(file, firstPosition, signal)).toString() : null;
  return { ...resume(parts, set, file, firstPosition), notBeforeMicros: Math.max(1, millis * 1000) };
}
