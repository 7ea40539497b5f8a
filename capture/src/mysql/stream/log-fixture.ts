import { crc32 } from 'node:zlib';

import { tableIdText } from '@millrace/shared/event/table-id.ts';
import type { TableId } from '@millrace/shared/event/table-id.ts';

import type { SourceEvent } from '../../source.ts';
import { eventType } from '../binlog/event-header.ts';
import { LogEpoch } from '../log-epoch.ts';
import { parseResumePoint } from '../resume-point.ts';
import type { MysqlResume } from '../resume-point.ts';
import type { BinlogRows } from '../rows.ts';
import { TableVersions } from '../table-versions.ts';
import { LogProgress } from './log-progress.ts';
import { LogReader } from './log-reader.ts';
import type { LogReaderParts } from './log-reader.ts';

/** For tests: log events to the byte, and a reader over them. */

export const serverUuid = '8b4570c1-e545-11f1-960d-02fc00000001';

export interface EventOptions {
  readonly flags?: number;
  readonly seconds?: number;
  readonly logPosition?: number;
  readonly checksum?: boolean;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Builds the events of one dump; positions and checksums are kept right unless a test says otherwise. */
export class LogBuilder {
  readonly events: Buffer[] = [];
  position: number;
  checksums = true;

  constructor(position = 4) {
    this.position = position;
  }

  event(type: number, body: Buffer, options: EventOptions = {}): this {
    const checksum = options.checksum ?? this.checksums;
    const size = 19 + body.length + (checksum ? 4 : 0);
    this.position += size;
    const head = Buffer.alloc(19);
    head.writeUInt32LE(options.seconds ?? 1_700_000_000, 0);
    head[4] = type;
    head.writeUInt32LE(1, 5);
    head.writeUInt32LE(size, 9);
    head.writeUInt32LE((options.logPosition ?? this.position) >>> 0, 13);
    head.writeUInt16LE(options.flags ?? 0, 17);
    const bytes = Buffer.concat([head, body]);
    this.events.push(checksum ? Buffer.concat([bytes, u32(crc32(bytes))]) : bytes);
    return this;
  }

  /** What opens every dump; moves no position. */
  fakeRotate(file: string, position = 4): this {
    const before = this.position;
    this.event(eventType.rotate, Buffer.concat([u64(position), Buffer.from(file)]), {
      flags: 0x20,
      logPosition: 0,
      seconds: 0,
    });
    this.position = before;
    return this;
  }

  rotate(file: string): this {
    this.event(eventType.rotate, Buffer.concat([u64(4), Buffer.from(file)]));
    this.position = 4;
    return this;
  }

  formatDescription(algorithm = 1, options: EventOptions = {}): this {
    const version = Buffer.alloc(50);
    version.write('9.7.4');
    const head = Buffer.concat([Buffer.from([4, 0]), version, u32(1), Buffer.from([19]), Buffer.alloc(40)]);
    const body = Buffer.concat([head, Buffer.from([algorithm])]);
    this.event(eventType.formatDescription, body, { ...options, checksum: true });
    this.checksums = algorithm === 1;
    return this;
  }

  gtid(number: number, commitMicros = 1_700_000_000_000_000): this {
    const times = Buffer.alloc(7);
    times.writeUIntLE(commitMicros % 2 ** 32, 0, 4);
    times.writeUIntLE(Math.floor(commitMicros / 2 ** 32), 4, 3);
    const uuid = Buffer.from(serverUuid.replaceAll('-', ''), 'hex');
    const body = Buffer.concat([
      Buffer.of(0),
      uuid,
      u64(number),
      Buffer.of(2),
      u64(0),
      u64(1),
      times,
      Buffer.of(100),
      u32(90704),
    ]);
    return this.event(eventType.gtid, body);
  }

  query(text: string, schema = 'd', status: Buffer = Buffer.alloc(0)): this {
    const head = Buffer.alloc(13);
    head[8] = schema.length;
    head.writeUInt16LE(status.length, 11);
    return this.event(eventType.query, Buffer.concat([head, status, Buffer.from(`${schema}\0${text}`)]));
  }

  begin(number: number): this {
    return this.gtid(number).query('BEGIN');
  }

  xid(): this {
    return this.event(eventType.xid, u64(1));
  }

  /** `id INT NOT NULL PRIMARY KEY`, or two such columns. */
  tableMap(tableId: number, table: string, columns: readonly string[] = ['id'], named = true): this {
    const id = u64(tableId).subarray(0, 6);
    const count = columns.length;
    const names = Buffer.concat(columns.map((name) => Buffer.from([name.length, ...Buffer.from(name)])));
    const body = Buffer.concat([
      id,
      Buffer.from([1, 0, 1]),
      Buffer.from('d\0'),
      Buffer.from([table.length]),
      Buffer.from(`${table}\0`),
      Buffer.from([count, ...columns.map(() => 3), 0, ...Buffer.alloc((count + 7) >> 3)]),
      Buffer.from([1, 1, 0]),
      named ? Buffer.concat([Buffer.from([4, names.length]), names, Buffer.from([8, 1, 0])]) : Buffer.alloc(0),
    ]);
    return this.event(eventType.tableMap, body);
  }

  /** Rows of one INT each. */
  insert(tableId: number, ...values: readonly number[]): this {
    const rows = values.map((value) => Buffer.concat([Buffer.of(0), u32(value)]));
    return this.rows(eventType.writeRows, tableId, Buffer.from([1, 1]), Buffer.concat(rows));
  }

  rows(type: number, tableId: number, bitmaps: Buffer, rows: Buffer, extra: Buffer = Buffer.from([2, 0])): this {
    return this.event(type, Buffer.concat([u64(tableId).subarray(0, 6), Buffer.from([1, 0]), extra, bitmaps, rows]));
  }
}

export function openedLog(file = 'binlog.000001'): LogBuilder {
  return new LogBuilder().fakeRotate(file).formatDescription();
}

export interface ReadOptions {
  readonly resume?: Partial<MysqlResume>;
  readonly captures?: (id: TableId) => boolean;
  readonly versions?: TableVersions;
  readonly parts?: Partial<LogReaderParts>;
}

export interface FixtureReader {
  readonly log: LogReader;
  readonly progress: LogProgress;
  readonly versions: TableVersions;
  readonly ignored: number[];
  /** Reads built events and tells what came of them, one line each. */
  readonly read: (events: readonly Buffer[]) => readonly string[];
}

export function fixtureReader(options: ReadOptions = {}): FixtureReader {
  const base = JSON.stringify({ server_uuid: serverUuid, gtid_set: '', file: '', position: 4, epoch: 1 });
  const progress = new LogProgress({ ...parseResumePoint(base), ...options.resume });
  const versions = options.versions ?? new TableVersions({ tinyint1AsBoolean: true });
  const ignored: number[] = [];
  const log = new LogReader({
    progress,
    versions,
    epoch: new LogEpoch(1),
    captures: options.captures ?? (() => true),
    normalise: (id) => id,
    byGtid: progress.executed !== null,
    head: null,
    sessionChecksums: true,
    sourceTimeMicros: () => 0,
    onIgnoredEvent: (type) => ignored.push(type),
    ...options.parts,
  });
  const read = (events: readonly Buffer[]): readonly string[] => {
    log.tokens.reuseAll();
    log.events = [];
    for (const bytes of events) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const missing = log.read(bytes, view, 0, bytes.length);
      if (missing === null) continue;
      versions.adopt(missing, null, 0);
      log.read(bytes, view, 0, bytes.length);
    }
    return log.events.map(line);
  };
  return { log, progress, versions, ignored, read };
}

function line(event: SourceEvent): string {
  switch (event.kind) {
    case 'begin':
      return `begin ${event.gtid.slice(37)}`.trim();
    case 'rows': {
      const rows = event.rows as BinlogRows;
      const text = rows.bytes === undefined ? 'refused' : rows.bytes.toString('hex', rows.start, rows.end);
      return `${event.op} ${tableIdText(rows.table.schema.id)} ${text}`;
    }
    case 'schema-change':
      return `${event.change} ${tableIdText(event.table)}`;
    default:
      return event.kind;
  }
}
