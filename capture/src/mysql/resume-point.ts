import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { ResumePoint } from '@millrace/shared/event/position.ts';

/** Where to continue reading a server's log: always a transaction boundary. */
export interface MysqlResume {
  readonly serverUuid: string;
  /** Everything executed up to here, holes included; null when the server has no GTIDs. */
  readonly gtidSet: string | null;
  readonly file: string;
  readonly position: number;
  /** Raised when server identity or log changed, so that tokens keep growing. */
  readonly epoch: number;
  /** Transactions committed before this are dropped, up to the first that was not; start by time only. */
  readonly notBeforeMicros: number;
  /** Log events and rows to leave out of the first transaction; start by position only. */
  readonly skipEvents: number;
  readonly skipRows: number;
  /** XA transactions prepared before here without captured rows, whose outcome is still to come. */
  readonly xaPrepared: readonly string[];
}

const maxEpoch = 0xffff;

export function formatResumePoint(resume: MysqlResume): ResumePoint {
  return JSON.stringify({
    server_uuid: resume.serverUuid,
    gtid_set: resume.gtidSet,
    file: resume.file,
    position: resume.position,
    epoch: resume.epoch,
    ...(resume.notBeforeMicros > 0 ? { not_before_micros: resume.notBeforeMicros } : {}),
    ...(resume.skipEvents > 0 ? { skip_events: resume.skipEvents } : {}),
    ...(resume.skipRows > 0 ? { skip_rows: resume.skipRows } : {}),
    ...(resume.xaPrepared.length > 0 ? { xa_prepared: resume.xaPrepared } : {}),
  }) as ResumePoint;
}

function unreadable(cause?: unknown): CdcError {
  return new CdcError('CHECKPOINT_UNREADABLE', 'a resume point of a MySQL source cannot be read', { cause });
}

function natural(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw unreadable();
  return value;
}

export function parseResumePoint(text: string): MysqlResume {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw unreadable(error);
  }
  if (typeof parsed !== 'object' || parsed === null) throw unreadable();
  const fields = parsed as Readonly<Record<string, unknown>>;
  const { server_uuid: serverUuid, gtid_set: gtidSet, file, xa_prepared: xaPrepared = [] } = fields;
  if (typeof serverUuid !== 'string' || typeof file !== 'string') throw unreadable();
  if (gtidSet !== null && typeof gtidSet !== 'string') throw unreadable();
  if (!Array.isArray(xaPrepared) || !xaPrepared.every((xid) => typeof xid === 'string')) throw unreadable();
  const epoch = natural(fields['epoch']);
  if (epoch > maxEpoch) throw unreadable();
  return {
    serverUuid,
    gtidSet,
    file,
    position: natural(fields['position']),
    epoch,
    notBeforeMicros: natural(fields['not_before_micros']),
    skipEvents: natural(fields['skip_events']),
    skipRows: natural(fields['skip_rows']),
    xaPrepared,
  };
}
