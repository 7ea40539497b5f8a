import { captureProgram } from '@millrace/capture/app.ts';

import { countRecords } from '../bench-topic.ts';
import { captureDocument } from '../pipeline-documents.ts';
import { runProgramOnce } from '../program-run.ts';
import { uniqueName } from '../../harness/unique-name.ts';
import { answer, sideInput } from '../side-process.ts';
import type { CaptureInput } from '../capture-input.ts';

/** Ours: MySQL to a fresh topic, through the capture program's own pipeline. */
const { workload, start, prefix, target } = await sideInput<CaptureInput>();
const fresh = uniqueName(prefix);
const into = target ?? { topic: fresh, pipeline: fresh };
const before = target === null ? 0 : await countRecords(into.topic).catch(() => 0);
const measured = await runProgramOnce(captureProgram, captureDocument(workload, start, into));
const rows = (await countRecords(into.topic)) - before;
if (rows !== workload.changes) throw new Error(`${rows} records for ${workload.changes} changes`);
answer({ ...measured, rows });
