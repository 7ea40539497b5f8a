import { mkdirSync } from 'node:fs';

import { ingestProgram } from '@millrace/ingest/app.ts';

import { uniqueName } from '../../harness/unique-name.ts';
import { assertTotals } from '../ingest-input.ts';
import type { LakeInput } from '../ingest-input.ts';
import { lakeTotals } from '../lake-totals.ts';
import { lakeDocument } from '../pipeline-documents.ts';
import { runProgramOnce } from '../program-run.ts';
import { answer, sideInput } from '../side-process.ts';
import { workloadTables } from '../workload-tables.ts';

/** Ours: a topic into an Iceberg directory of its own, through the ingest program's own pipeline. */
const { topic, folder, schema, table, changes, expected, kept } = await sideInput<LakeInput>();
const pipeline = uniqueName('bench_lake');
const warehouse = kept ?? `${folder}/${pipeline}`;
mkdirSync(warehouse, { recursive: true });
const measured = await runProgramOnce(ingestProgram, lakeDocument(pipeline, topic, warehouse));
const found = await lakeTotals(`iceberg_scan('${warehouse}/${schema}/${table}')`, workloadTables[table].summed);
assertTotals(found, expected);
answer({ ...measured, rows: changes });
