import { ingestProgram } from '@millrace/ingest/app.ts';

import { uniqueName } from '../../harness/unique-name.ts';
import { assertTotals } from '../ingest-input.ts';
import type { PostgresInput } from '../ingest-input.ts';
import { postgresDocument } from '../pipeline-documents.ts';
import { benchDatabase, databaseUrl, postgresTotals } from '../postgres-databases.ts';
import { runProgramOnce } from '../program-run.ts';
import { answer, sideInput } from '../side-process.ts';

/** Ours: a topic into PostgreSQL, through the ingest program's own pipeline. */
const input = await sideInput<PostgresInput>();
const { pipeline, topic, schema, table, connections, changes } = input;
await using cleanup = new AsyncDisposableStack();
const database = input.database ?? uniqueName(input.prefix);
if (input.database === null) cleanup.use(await benchDatabase(database, input.template));
const document = postgresDocument(pipeline, topic, databaseUrl(database), connections);
const measured = await runProgramOnce(ingestProgram, document);
assertTotals(await postgresTotals(database, schema, table), input.expected);
await cleanup.disposeAsync();
answer({ ...measured, rows: changes });
