import { ByteWriter } from '@millrace/shared/bytes/byte-writer.ts';
import { ChangeFrame } from '@millrace/shared/format/change-frame.ts';
import { Gather } from '@millrace/shared/kafka/gather.ts';
import { silentLogger } from '@millrace/shared/observe/logger.ts';
import { CapturedTables } from '@millrace/capture/app/captured-tables.ts';
import { openSource, startPoint } from '@millrace/capture/app/mysql.ts';
import { tableOptions } from '@millrace/capture/app/table-options.ts';
import type { RowRenderer, Source, SourceStream, SourceTable } from '@millrace/capture/source.ts';

import { captureDocument } from './pipeline-documents.ts';
import type { Workload } from './workload.ts';

interface Compiled {
  readonly renderer: RowRenderer;
  readonly frame: ChangeFrame;
}

const outputBytes = 16 * 1024 * 1024;

/**
 * The capture program's path from the log to record values, without the publisher: the dump stream with checksums
 * verified, rows rendered, keys extracted, debezium-json values in one buffer.
 */
export class LogDecoder implements AsyncDisposable {
  readonly #workload: Workload;
  readonly #options: ReturnType<typeof tableOptions>;
  readonly #source: Source;
  readonly #stream: SourceStream;
  readonly #signal: AbortSignal;
  readonly #compiled = new Map<SourceTable, Compiled>();

  private constructor(
    workload: Workload,
    options: ReturnType<typeof tableOptions>,
    source: Source,
    stream: SourceStream,
    signal: AbortSignal,
  ) {
    this.#workload = workload;
    this.#options = options;
    this.#source = source;
    this.#stream = stream;
    this.#signal = signal;
  }

  static async open(workload: Workload, signal: AbortSignal): Promise<LogDecoder> {
    const document = captureDocument(workload, 'stretch', { pipeline: `bench-${process.pid}`, topic: 'none' });
    const { tables, newTables, startup } = document.source;
    const captured = new CapturedTables(tables, newTables);
    const source = await openSource(document, captured, 1, silentLogger, signal);
    const resume = await source.resolveStart(startPoint(startup), signal);
    const stream = await source.stream(resume, signal);
    return new LogDecoder(workload, tableOptions(document, captured.caseSensitive), source, stream, signal);
  }

  /** Decodes the whole stretch; `onValue` sees each value's bytes before they are overwritten. Returns the rows. */
  async run(onValue: (bytes: Buffer, start: number, end: number) => void): Promise<number> {
    const scratch = new ByteWriter();
    const value = new Gather();
    const output = Buffer.allocUnsafe(outputBytes);
    let at = 0;
    let rows = 0;
    let timeMs = 0;
    while (rows < this.#workload.changes) {
      for (const event of await this.#stream.next(this.#signal)) {
        if (event.kind === 'begin') timeMs = Math.floor(event.commitTimeMicros / 1000);
        if (event.kind !== 'rows') continue;
        const { renderer, frame } = this.#compile(event.rows.table);
        renderer.open(event.rows);
        for (;;) {
          scratch.clear();
          if (!renderer.next(scratch)) break;
          value.clear();
          frame.gather(value, event.op, timeMs, scratch.bytes, renderer.row);
          if (at + value.totalBytes > outputBytes) at = 0;
          const end = value.copyTo(output, at);
          onValue(output, at, end);
          at = end;
          rows += 1;
        }
      }
    }
    return rows;
  }

  #compile(table: SourceTable): Compiled {
    const known = this.#compiled.get(table);
    if (known !== undefined) return known;
    const { schema } = table;
    const spec = {
      columns: schema.columns.map((column) => column.name),
      keyColumns: schema.primaryKey,
      keyStyle: 'json' as const,
      keyPrefix: Buffer.from('{"TableId":"bench"'),
      values: this.#options.values,
    };
    const frame = new ChangeFrame(this.#options.frame(schema.id, schema.primaryKey));
    const made = { renderer: this.#source.compile(table, spec, 'stream'), frame };
    this.#compiled.set(table, made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
    await this.#source[Symbol.asyncDispose]();
  }
}
