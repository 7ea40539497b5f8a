import type { ResumePoint } from '@millrace/shared/event/position.ts';

import { GtidSet } from '../gtid-set.ts';
import { formatResumePoint } from '../resume-point.ts';
import type { MysqlResume } from '../resume-point.ts';

/**
 * The last transaction boundary that a stream has passed, and what must survive a reconnect. Moved by the log reader,
 * one transaction at a time.
 */
export class LogProgress {
  serverUuid: string;
  /** Everything executed before the boundary; null without GTIDs. */
  readonly executed: GtidSet | null;
  file: string;
  position: number;
  epoch: number;
  notBeforeMicros: number;
  skipEvents: number;
  skipRows: number;
  readonly xaPrepared: Set<string>;

  constructor(resume: MysqlResume) {
    this.serverUuid = resume.serverUuid;
    this.executed = resume.gtidSet === null ? null : GtidSet.parse(resume.gtidSet);
    this.file = resume.file;
    this.position = resume.position;
    this.epoch = resume.epoch;
    this.notBeforeMicros = resume.notBeforeMicros;
    this.skipEvents = resume.skipEvents;
    this.skipRows = resume.skipRows;
    this.xaPrepared = new Set(resume.xaPrepared);
  }

  resumePoint(): ResumePoint {
    return formatResumePoint({
      serverUuid: this.serverUuid,
      gtidSet: this.executed === null ? null : this.executed.toString(),
      file: this.file,
      position: this.position,
      epoch: this.epoch,
      notBeforeMicros: this.notBeforeMicros,
      skipEvents: this.skipEvents,
      skipRows: this.skipRows,
      xaPrepared: [...this.xaPrepared],
    });
  }
}
