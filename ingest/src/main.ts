#!/usr/bin/env node
import { processHost } from '@millrace/shared/program/process-host.ts';
import { runProgram } from '@millrace/shared/program/program.ts';

import { ingestProgram } from './app.ts';

process.exitCode = await runProgram(ingestProgram, processHost(process));
