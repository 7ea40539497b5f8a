import { randomUUID } from 'node:crypto';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { dumpError, nonBlockingFlag } from '../binlog/dump.ts';
import { readFormatDescription } from '../binlog/control-events.ts';
import { checksumBytes, eventType, headerBytes, logPositionOffset, typeOffset } from '../binlog/event-header.ts';
import { GtidEvent } from '../binlog/gtid-event.ts';
import type { SqlSession } from '../connection.ts';
import { decodeGtidSet } from '../gtid-set.ts';
import type { GtidSet } from '../gtid-set.ts';
import { logCorrupt } from '../log-corrupt.ts';
import { startDump } from './dump-connection.ts';

export interface LogScanParts {
  readonly connect: (signal: AbortSignal) => Promise<SqlSession>;
  readonly serverId: number;
  readonly maxEventBytes: number;
}

const heartbeatPeriodMs = 10_000;
const silenceMs = 60_000;

interface ScannedEvent {
  readonly type: number;
  readonly seconds: number;
  /** Low 32 bits of where it ends in the file. */
  readonly logPosition: number;
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly body: number;
  /** Before the checksum. */
  readonly end: number;
}

/** Looks into log files over short dumps that end at the end of the log, under an identity of their own. */
export class LogScan {
  readonly #parts: LogScanParts;

  constructor(parts: LogScanParts) {
    this.#parts = parts;
  }

  /** When a file was begun, by its FORMAT_DESCRIPTION. */
  async createdSeconds(file: string, signal: AbortSignal): Promise<number> {
    for await (const event of this.#events(file, signal)) {
      if (event.type === eventType.formatDescription) return event.seconds;
    }
    throw logCorrupt('a log file has no FORMAT_DESCRIPTION', { file });
  }

  /** PREVIOUS_GTIDS of a file and every transaction before `position`, which must be the end of one. */
  async executedBefore(file: string, position: number, signal: AbortSignal): Promise<GtidSet> {
    const gtid = new GtidEvent();
    let executed: GtidSet | null = null;
    let pending: { source: string; number: number } | null = null;
    let boundary = 0;
    for await (const event of this.#events(file, signal)) {
      if (event.type === eventType.previousGtids) {
        executed = decodeGtidSet(event.bytes.subarray(event.body, event.end));
        boundary = event.logPosition;
        if (position <= boundary) return executed;
        continue;
      }
      const starts =
        event.type === eventType.gtid || event.type === eventType.gtidTagged || event.type === eventType.anonymousGtid;
      if (executed === null || (!starts && event.type !== eventType.rotate && event.type !== eventType.stop)) {
        if (event.logPosition > 0) boundary = event.logPosition;
        continue;
      }
      // Everything before this event belongs to whole transactions.
      if (pending !== null) executed.add(pending.source, pending.number);
      pending = null;
      if (boundary >= position) return atBoundary(executed, boundary, position, file);
      if (!starts) continue;
      if (event.type === eventType.gtid) gtid.read(event.bytes, event.view, event.body, event.end);
      else if (event.type === eventType.gtidTagged) {
        gtid.readTagged(event.bytes, event.body, event.end);
      }
      if (event.type !== eventType.anonymousGtid) pending = { source: gtid.source, number: gtid.number };
      boundary = event.logPosition;
    }
    if (executed === null) throw logCorrupt('a log file has no PREVIOUS_GTIDS', { file });
    if (pending !== null) executed.add(pending.source, pending.number);
    return atBoundary(executed, boundary, position, file);
  }

  async *#events(file: string, signal: AbortSignal): AsyncGenerator<ScannedEvent> {
    const session = await this.#parts.connect(signal);
    using packets = await startDump(
      session,
      {
        identity: { serverId: this.#parts.serverId, replicaUuid: randomUUID() },
        heartbeatPeriodMs,
        flags: nonBlockingFlag,
        from: { file, position: 4 },
        packets: { maxPacketBytes: this.#parts.maxEventBytes, silenceMs },
      },
      signal,
    );
    let inFile = false;
    let checksums = false;
    for (;;) {
      await packets.fill(signal);
      while (packets.next()) {
        const { bytes, view, start, end } = packets;
        if (bytes[start] === 0xff) throw dumpError(bytes, start, end);
        if (bytes[start] === 0xfe && end - start < 9) return;
        if (end - start < 1 + headerBytes) throw logCorrupt('event is shorter than its header');
        const at = start + 1;
        const type = bytes[at + typeOffset] as number;
        // The artificial ROTATE names the file; a second one begins the next file.
        if (type === eventType.rotate) {
          if (inFile) return;
          continue;
        }
        inFile = true;
        const body = at + headerBytes;
        if (type === eventType.formatDescription) checksums = readFormatDescription(bytes, body, end).checksums;
        const bodyEnd = checksums ? end - checksumBytes : end;
        const logPosition = view.getUint32(at + logPositionOffset, true);
        yield { type, seconds: view.getUint32(at, true), logPosition, bytes, view, body, end: bodyEnd };
      }
    }
  }
}

function atBoundary(executed: GtidSet, boundary: number, position: number, file: string): GtidSet {
  if (boundary === position) return executed;
  throw new CdcError('CONFIG_INVALID', 'the position to start at is not between two transactions', {
    details: { file, position, next: boundary },
    hint: 'Start at the position where a transaction begins or ends, as `SHOW BINLOG EVENTS` lists them.',
  });
}
