import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { RowBatch, SourceEvent } from '../../source.ts';
import type { GtidSet } from '../gtid-set.ts';
import { logCorrupt } from '../log-corrupt.ts';
import type { LogEpoch } from '../log-epoch.ts';
import { TokenPool } from '../position-token.ts';
import type { TableVersions } from '../table-versions.ts';
import { crc32 } from '../binlog/checksum.ts';
import {
  readFormatDescription,
  readHeartbeat,
  readHeartbeatV2,
  readIncident,
  readRotate,
  readXaPrepare,
} from '../binlog/control-events.ts';
import type { Heartbeat } from '../binlog/control-events.ts';
import {
  checksumBytes,
  eventFlag,
  eventType,
  flagsOffset,
  headerBytes,
  logPositionOffset,
  sizeOffset,
  typeOffset,
} from '../binlog/event-header.ts';
import { GtidEvent } from '../binlog/gtid-event.ts';
import { LogCursor } from './log-cursor.ts';
import type { LogProgress } from './log-progress.ts';
import { loadQueryExtraBytes, queryTextStart } from '../binlog/query-event.ts';
import { MappedTables } from './mapped-tables.ts';
import { rowOpOf } from './row-events.ts';
import { skipRows } from './row-walk.ts';
import { readLoggedStatement, StatementEffects } from './statement-effects.ts';
import type { StatementPlace } from './statement-effects.ts';

export interface LogReaderParts {
  readonly progress: LogProgress;
  readonly versions: TableVersions;
  readonly epoch: LogEpoch;
  readonly captures: (id: TableId) => boolean;
  /** The id as the server stores names (`lower_case_table_names`). */
  readonly normalise: (id: TableId) => TableId;
  /** The dump was asked for by GTID: the server leaves out whole transactions. */
  readonly byGtid: boolean;
  /** What the server had executed when the dump began; null without GTIDs. */
  readonly head: GtidSet | null;
  /** What the session asked for: whether the first, artificial ROTATE ends in a checksum (T166). */
  readonly sessionChecksums: boolean;
  /** The server's clock. */
  readonly sourceTimeMicros: () => number;
  /** An event kind that is not known and may be ignored by its flag (T94). */
  readonly onIgnoredEvent: (type: number) => void;
}

const commitEvent: SourceEvent = { kind: 'commit' };
const rollbackEvent: SourceEvent = { kind: 'rollback' };

/**
 * Turns the events of one dump connection into source events, in place: no object per row, one small one per event.
 * `progress` moves from transaction boundary to transaction boundary.
 */
export class LogReader {
  /** Events since the caller took them; the caller replaces the array. */
  events: SourceEvent[] = [];
  readonly tokens = new TokenPool();

  readonly #parts: LogReaderParts;
  readonly #progress: LogProgress;
  readonly #effects: StatementEffects;
  readonly #cursor: LogCursor;
  readonly #gtid = new GtidEvent();
  readonly #tables: MappedTables;
  #checksums: boolean;
  #head: GtidSet | null;
  #open = false;
  #begun = false;
  #anonymous = true;
  #dropping = false;
  #xa = false;

  constructor(parts: LogReaderParts) {
    this.#parts = parts;
    this.#progress = parts.progress;
    this.#checksums = parts.sessionChecksums;
    this.#head = parts.head;
    this.#cursor = new LogCursor(parts.progress, parts.epoch, this.tokens, parts.byGtid);
    this.#tables = new MappedTables(parts.versions, parts.captures, parts.normalise);
    this.#effects = new StatementEffects(parts.versions, parts.captures, parts.normalise);
  }

  get inTransaction(): boolean {
    return this.#open;
  }

  /** The GTID of the open transaction; null between transactions and for anonymous ones. */
  get openGtid(): { readonly source: string; readonly number: number } | null {
    return this.#open && !this.#anonymous ? this.#gtid : null;
  }

  /** How far the log was read, inside a transaction too. */
  get position(): { readonly file: string; readonly position: number } {
    return { file: this.#cursor.file, position: this.#cursor.position };
  }

  /**
   * Reads the event in `bytes[start, end)`; `view` covers `bytes`. Returns a table whose catalogue must be adopted
   * first: then nothing was done, and the same event is to be given again.
   */
  read(bytes: Buffer, view: DataView, start: number, end: number): TableId | null {
    if (end - start < headerBytes + checksumBytes) throw logCorrupt('event is shorter than its header');
    if (view.getUint32(start + sizeOffset, true) !== end - start) throw logCorrupt('event size and packet size differ');
    const type = bytes[start + typeOffset] as number;
    if (type === eventType.formatDescription) {
      this.#formatDescription(bytes, view, start, end);
      return null;
    }
    const bodyEnd = this.#checksums ? end - checksumBytes : end;
    if (this.#checksums && crc32(bytes, view, start, bodyEnd) !== view.getUint32(bodyEnd, true)) {
      throw logCorrupt('event checksum does not match', {
        type,
        file: this.#cursor.file,
        position: this.#cursor.position,
      });
    }
    const body = start + headerBytes;
    if (type === eventType.tableMap) {
      const missing = this.#tables.map(bytes, view, body, bodyEnd, this.#gtid.immediateMicros);
      if (missing !== null) return missing;
    }
    if (type !== eventType.heartbeat && type !== eventType.heartbeatV2) this.#cursor.advance(view, start, end - start);
    this.#dispatch(type, bytes, view, start, bodyEnd);
    return null;
  }

  #dispatch(type: number, bytes: Buffer, view: DataView, start: number, end: number): void {
    const body = start + headerBytes;
    switch (type) {
      case eventType.tableMap:
        return;
      case eventType.writeRows:
      case eventType.updateRows:
      case eventType.deleteRows:
      case eventType.writeRowsV1:
      case eventType.updateRowsV1:
      case eventType.deleteRowsV1:
      case eventType.partialUpdateRows:
        return this.#rows(type, bytes, view, body, end);
      case eventType.gtid:
      case eventType.anonymousGtid:
        this.#gtid.read(bytes, view, body, end);
        return this.#begin(type === eventType.anonymousGtid, view.getUint32(start, true));
      case eventType.gtidTagged:
        this.#gtid.readTagged(bytes, body, end);
        return this.#begin(false, view.getUint32(start, true));
      case eventType.xid:
        return this.#end(commitEvent);
      case eventType.query:
        return this.#query(bytes, body, end, view.getUint32(start, true));
      default:
        return this.#control(type, bytes, view, start, end);
    }
  }

  #control(type: number, bytes: Buffer, view: DataView, start: number, end: number): void {
    const body = start + headerBytes;
    switch (type) {
      case eventType.rotate:
        return this.#rotate(bytes, view, start, end);
      case eventType.heartbeat:
        return this.#heartbeat(readHeartbeat(bytes, body, end), view.getUint32(start + logPositionOffset, true));
      case eventType.heartbeatV2:
        return this.#heartbeat(readHeartbeatV2(bytes, body, end), 0);
      case eventType.xaPrepare:
        return this.#xaPrepare(bytes, body, end);
      case eventType.executeLoadQuery:
        return this.#statement(bytes, body, end, loadQueryExtraBytes, view.getUint32(start, true));
      case eventType.incident: {
        const incident = readIncident(bytes, body, end);
        throw new CdcError('SOURCE_LOG_INCIDENT', 'the source reports lost events', {
          details: { file: this.#cursor.file, position: this.#cursor.eventStart, ...incident },
        });
      }
      case eventType.transactionPayload:
        throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'the source writes compressed transactions', {
          details: { file: this.#cursor.file, position: this.#cursor.eventStart },
          hint: 'Run SET PERSIST binlog_transaction_compression=OFF at the source and reconnect the writers.',
        });
      case eventType.stop:
      case eventType.intvar:
      case eventType.rand:
      case eventType.userVar:
      case eventType.appendBlock:
      case eventType.deleteFile:
      case eventType.beginLoadQuery:
      case eventType.ignorable:
      case eventType.rowsQuery:
      case eventType.previousGtids:
      case eventType.transactionContext:
      case eventType.viewChange:
        return;
      default:
        return this.#unknown(type, view.getUint16(start + flagsOffset, true));
    }
  }

  #unknown(type: number, flags: number): void {
    if ((flags & eventFlag.ignorable) !== 0) return this.#parts.onIgnoredEvent(type);
    throw new CdcError('SOURCE_EVENT_UNKNOWN', 'the source writes an event kind that is not known', {
      details: { type, file: this.#cursor.file, position: this.#cursor.eventStart },
    });
  }

  /** The algorithm of this file stands in it (T116); the checksum was made with the "in use" flag clear. */
  #formatDescription(bytes: Buffer, view: DataView, start: number, end: number): void {
    const description = readFormatDescription(bytes, start + headerBytes, end);
    if (description.checksums) {
      const flags = bytes[start + flagsOffset] as number;
      bytes[start + flagsOffset] = flags & ~eventFlag.inUse;
      const sum = crc32(bytes, view, start, end - checksumBytes);
      bytes[start + flagsOffset] = flags;
      if (sum !== view.getUint32(end - checksumBytes, true)) throw logCorrupt('event checksum does not match');
    }
    this.#checksums = description.checksums;
    this.#tables.clear();
    this.#cursor.advance(view, start, end - start);
    // The server crashed inside a transaction: what it had written of it never happened.
    if (this.#open) this.#abandon();
  }

  #abandon(): void {
    this.#open = false;
    this.events.push(rollbackEvent);
  }

  /** An artificial ROTATE names where reading begins, and moves nothing that is stored (T103). */
  #rotate(bytes: Buffer, view: DataView, start: number, end: number): void {
    const { file, position } = readRotate(bytes, start + headerBytes, end);
    const artificial = (view.getUint16(start + flagsOffset, true) & eventFlag.artificial) !== 0;
    if (file === this.#cursor.file && artificial) return;
    this.#cursor.open(file, position);
    if (!artificial && !this.#open) this.#cursor.markBoundary();
  }

  #heartbeat(heartbeat: Heartbeat, logPosition: number): void {
    this.#cursor.heard(heartbeat.file, heartbeat.position, logPosition);
    if (this.#open) return;
    this.#cursor.checkRestart(this.#cursor.position);
    this.#cursor.markBoundary();
    // While it passes over what was read before, the server sends heartbeats too: those do not mean that it is idle.
    if (this.#head !== null && this.#progress.executed?.containsSet(this.#head) === false) return;
    this.#head = null;
    this.events.push({ kind: 'heartbeat', sourceTimeMicros: this.#parts.sourceTimeMicros() });
  }

  #begin(anonymous: boolean, seconds: number): void {
    if (this.#open) throw logCorrupt('a transaction begins inside another', { file: this.#cursor.file });
    this.#open = true;
    this.#begun = false;
    this.#xa = false;
    this.#anonymous = anonymous;
    this.#cursor.checkRestart(this.#cursor.eventStart);
    const commitTimeMicros = this.#gtid.commitTimeMicros || seconds * 1_000_000;
    const { notBeforeMicros } = this.#progress;
    this.#dropping = notBeforeMicros > 0 && commitTimeMicros < notBeforeMicros;
    if (!this.#dropping) this.#progress.notBeforeMicros = 0;
    this.events.push({ kind: 'begin', gtid: this.#gtidText(), commitTimeMicros });
  }

  #end(event: SourceEvent): void {
    if (!this.#open) throw logCorrupt('a transaction ends that did not begin', { file: this.#cursor.file });
    this.#open = false;
    if (!this.#anonymous) this.#progress.executed?.add(this.#gtid.source, this.#gtid.number);
    this.#progress.skipEvents = 0;
    this.#progress.skipRows = 0;
    this.#cursor.markBoundary();
    this.events.push(event);
  }

  #rows(type: number, bytes: Buffer, view: DataView, body: number, end: number): void {
    const rows = this.#tables.rows(type, bytes, view, body, end, this.#xa);
    if (rows === null) return;
    if (!this.#open) throw logCorrupt('row event outside a transaction', { file: this.#cursor.file });
    const kept = this.#dropping ? null : this.#afterSkips(rows);
    if (kept === null) return;
    const position = this.tokens.token(this.#cursor.eventStart);
    this.events.push({ kind: 'rows', op: rowOpOf(type), rows: kept, position });
  }

  #afterSkips(rows: RowBatch): RowBatch | null {
    const progress = this.#progress;
    if (progress.skipEvents > 0) {
      progress.skipEvents -= 1;
      return null;
    }
    if (progress.skipRows === 0) return rows;
    const skipped = skipRows(rows, progress.skipRows);
    progress.skipRows -= skipped.count;
    return skipped.rows;
  }

  #query(bytes: Buffer, body: number, end: number, seconds: number): void {
    const text = queryTextStart(bytes, body, end);
    if (!this.#open) {
      this.#gtid.commitTimeMicros = 0;
      this.#begin(true, seconds);
    }
    if (isText(bytes, text, end, beginText)) this.#begun = true;
    else if (isText(bytes, text, end, commitText)) this.#end(commitEvent);
    else this.#statement(bytes, body, end, 0, seconds);
  }

  #statement(bytes: Buffer, body: number, end: number, extraBytes: number, seconds: number): void {
    const logged = readLoggedStatement(bytes, body, end, extraBytes);
    const { statement } = logged;
    switch (statement.kind) {
      case 'begin':
        this.#begun = true;
        return;
      case 'commit':
        return this.#end(commitEvent);
      case 'rollback':
        return this.#end(rollbackEvent);
      case 'savepoint':
        return;
      case 'xa':
        if (statement.action === 'start') {
          this.#begun = true;
          this.#xa = true;
          return;
        }
        if (statement.action === 'commit' || statement.action === 'rollback') {
          this.#xaOutcome(statement.action, statement.xid);
        }
        break;
      default:
        if (this.#dropping) this.#effects.note(logged);
        else this.#effects.apply(logged, this.#place(seconds));
    }
    if (!this.#begun) this.#end(commitEvent);
  }

  #place(seconds: number): StatementPlace {
    return {
      tokens: this.tokens,
      position: this.#cursor.eventStart,
      events: this.events,
      gtid: this.#gtidText(),
      committedMicros: this.#gtid.immediateMicros || seconds * 1_000_000,
    };
  }

  #gtidText(): string {
    return this.#anonymous ? '' : `${this.#gtid.source}:${this.#gtid.number}`;
  }

  #xaPrepare(bytes: Buffer, body: number, end: number): void {
    const prepare = readXaPrepare(bytes, body, end);
    if (!prepare.onePhase) this.#progress.xaPrepared.add(prepare.xid);
    this.#end(commitEvent);
  }

  /** Rows of an XA transaction stand before its XA PREPARE: without having read that, they are missed. */
  #xaOutcome(action: 'commit' | 'rollback', xid: string): void {
    if (this.#progress.xaPrepared.delete(xid) || action === 'rollback') return;
    throw new CdcError('SOURCE_SCHEMA_UNSUPPORTED', 'an XA transaction was prepared before the stream began', {
      details: { xid, gtid: this.#gtidText() },
      hint: 'Its rows were not read: start again from a position after its commit, with a snapshot of the tables.',
    });
  }
}

const beginText = Buffer.from('BEGIN', 'latin1');
const commitText = Buffer.from('COMMIT', 'latin1');

function isText(bytes: Buffer, start: number, end: number, text: Buffer): boolean {
  if (end - start !== text.length) return false;
  for (let index = 0; index < text.length; index++) if (bytes[start + index] !== text[index]) return false;
  return true;
}
