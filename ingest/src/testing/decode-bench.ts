import { CdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';
import { tableIdText } from '@millrace/shared/event/table-id.ts';

import { PartitionDecoder } from '../decode/partition-decoder.ts';
import type { PartitionDecoderOptions } from '../decode/partition-decoder.ts';
import { LaneFold } from '../merge/lane-fold.ts';
import type { SchemaSources, TableRules } from '../project/source-table.ts';
import { SourceTables } from '../project/source-tables.ts';
import { CopiedTables } from './copied-table.ts';
import { CustomerHistory, customers } from './customer-history.ts';
import type { Row } from './customer-history.ts';
import { fetchedRecords } from './fetched-records.ts';
import type { TestRecord } from './fetched-records.ts';

const signal = new AbortController().signal;

export interface Setup {
  readonly schemas?: readonly TableSchema[];
  readonly rules?: Partial<TableRules>;
  readonly options?: Partial<PartitionDecoderOptions>;
}

/** One partition's decoder with the fold that it fills and the tables that the commits make. */
export class DecodeBench {
  readonly tables: SourceTables;
  readonly copied = new CopiedTables();
  readonly decoder: PartitionDecoder;
  fold = new LaneFold();
  lookups = 0;
  readonly marks = new Map<string, string>();
  readonly #sources: SchemaSources;

  constructor(setup: Setup = {}) {
    const rules: TableRules = { included: true, columns: null, primaryKeys: null, initialSchema: null, ...setup.rules };
    this.tables = new SourceTables({
      rulesFor: () => rules,
      route: (id) => [id],
      inference: { strategy: 'continuous', primitiveAsString: false, preFetchRecords: 50 },
    });
    const schemas = setup.schemas ?? [customers];
    this.#sources = {
      schemaFor: (fingerprint, table) => {
        this.lookups++;
        const found = schemas.find((schema) => schema.fingerprint === fingerprint && tableIdText(schema.id) === table);
        return Promise.resolve(found ?? null);
      },
      describe: () => Promise.resolve(null),
    };
    this.decoder = new PartitionDecoder(this.tables, {
      topic: 't',
      partition: 0,
      nextOffset: 0,
      marks: new Map(),
      tableOffsets: new Map(),
      value: { format: 'auto', envelopeRequired: false },
      applyTruncate: true,
      onTable: () => undefined,
      ...setup.options,
    });
  }

  async take(records: readonly TestRecord[], maxRows = Number.MAX_SAFE_INTEGER): Promise<void> {
    this.decoder.open(fetchedRecords('t', 0, this.decoder.position, records));
    for (;;) {
      const outcome = this.decoder.run(this.fold, maxRows);
      if (outcome === 'done') return;
      if (outcome === 'full') this.commit();
      else await outcome.table.resolve(outcome.fingerprint, outcome.hints, this.#sources, signal);
    }
  }

  commit(): void {
    const batch = this.fold.close();
    this.copied.apply(batch);
    for (const range of batch.partitions) for (const [name, token] of range.marks) this.marks.set(name, token);
    this.fold = new LaneFold();
  }

  async rowsAfter(records: readonly TestRecord[]): Promise<readonly object[]> {
    await this.take(records);
    this.commit();
    return this.copied.rows('shop.customers');
  }
}

const history = new CustomerHistory();

/** A record of capture's; every one has a later position than the one before. */
export function change(
  op: string,
  before: Row | null,
  after: Row | null,
  headers?: Record<string, string>,
): TestRecord {
  return history.change(op, before, after, headers);
}

export function withoutHeaders(record: TestRecord): TestRecord {
  return { key: record.key, value: record.value };
}

/** Details of the error, null when there is none. */
export async function refusal(bench: DecodeBench, records: readonly TestRecord[]): Promise<unknown> {
  try {
    await bench.take(records);
  } catch (error) {
    return error instanceof CdcError ? error.details : error;
  }
  return null;
}
