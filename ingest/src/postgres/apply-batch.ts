import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { RowSpans, TableBatch } from '../destination.ts';
import { tableText } from './identifier.ts';
import type { TargetName } from './identifier.ts';
import type { OpenTable } from './open-table.ts';
import { chunkBytes } from './pipeline.ts';
import type { Pipeline } from './pipeline.ts';

/** Below this many rows of a table, single-row statements cost less than a staging table. */
export const fewRows = 50;

/** What a step of the pipeline was for, to say where it failed. */
export interface StepPlace {
  readonly work: 'fence' | 'truncate' | 'delete' | 'copy' | 'apply' | 'row' | 'marks' | 'commit' | 'begin';
  readonly target: TargetName | null;
  /** Index into the upserts. */
  readonly row: number | null;
}

export type NoteStep = (place: StepPlace) => void;

const rowText = new ByteWriter();

function locate(error: unknown, target: TargetName, list: string): unknown {
  if (!(error instanceof CdcError)) return error;
  return new CdcError(error.code, error.message, {
    details: { table: tableText(target), list, ...error.details },
    cause: error,
  });
}

/** Appends the steps of one table: truncate, deletes, upserts. Throws on the first value that does not fit. */
export class BatchApplier {
  readonly #pipeline: Pipeline;
  readonly #note: NoteStep;
  readonly #fewRows: number;

  constructor(pipeline: Pipeline, note: NoteStep, rowsWithoutStaging: number) {
    this.#pipeline = pipeline;
    this.#note = note;
    this.#fewRows = rowsWithoutStaging;
  }

  async apply(batch: TableBatch, open: OpenTable, signal: AbortSignal): Promise<void> {
    const { statements, plan } = open;
    const { target } = plan;
    if (batch.truncateFirst) {
      this.#pipeline.execute(statements.truncate);
      this.#note({ work: 'truncate', target, row: null });
    }
    if (batch.deletes.count > 0) this.#delete(batch.deletes, open, 'deletes');
    if (batch.upserts.count === 0) return;
    try {
      const few = batch.upserts.count < this.#fewRows;
      if (few) await this.#rows(batch.upserts, open, signal);
      else await this.#staged(batch.upserts, open, signal);
    } catch (error) {
      throw locate(error, target, 'upserts');
    }
  }

  #delete(rows: RowSpans, open: OpenTable, list: string): void {
    const { target } = open.plan;
    if (open.plan.mode === 'append') {
      throw new CdcError('DESTINATION_WRITE_REJECTED', 'a table without a key takes no deletes', {
        details: { table: tableText(target) },
        hint: 'Declare a key: transform: [{source-table, primary-keys}].',
      });
    }
    try {
      this.#pipeline.execute(open.statements.deleteKeys, open.keyArrays.literals(rows));
    } catch (error) {
      throw locate(error, target, list);
    }
    this.#note({ work: 'delete', target, row: null });
  }

  async #rows(rows: RowSpans, open: OpenTable, signal: AbortSignal): Promise<void> {
    const { statements, plan, copyText } = open;
    const { target } = plan;
    if (plan.mode === 'delete-insert') this.#delete(rows, open, 'upserts');
    let next = 0;
    while (next < rows.count) {
      rowText.clear();
      const first = next;
      next = copyText.write(rows, first, rowText, chunkBytes);
      let at = 0;
      for (let row = first; row < next; row++) {
        at = this.#pipeline.executeCopyRow(statements.writeRow, statements.columnCount, rowText.bytes, at);
        this.#note({ work: 'row', target, row });
      }
      if (this.#pipeline.bufferedBytes > chunkBytes) await this.#pipeline.flush(signal);
    }
  }

  async #staged(rows: RowSpans, open: OpenTable, signal: AbortSignal): Promise<void> {
    const { statements, copyText } = open;
    const { target } = open.plan;
    this.#pipeline.openCopy(statements.copy);
    this.#note({ work: 'copy', target, row: null });
    // The server works on the fence and the deletes while rows are written.
    await this.#pipeline.flush(signal);
    let next = 0;
    await this.#pipeline.copyRows((out, limitBytes) => {
      next = copyText.write(rows, next, out, limitBytes);
      return next < rows.count;
    }, signal);
    for (const statement of statements.apply) {
      this.#pipeline.execute(statement);
      this.#note({ work: 'apply', target, row: null });
    }
  }
}
