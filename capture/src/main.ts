#!/usr/bin/env node
import { processHost } from '@millrace/shared/program/process-host.ts';
import { runProgram } from '@millrace/shared/program/program.ts';

import { captureProgram } from './app.ts';

process.exitCode = await runProgram(captureProgram, processHost(process));
