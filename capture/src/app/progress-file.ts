import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { delay } from '@millrace/shared/async/delay.ts';
import { toCdcError } from '@millrace/shared/errors/cdc-error.ts';
import type { Logger } from '@millrace/shared/observe/logger.ts';
import type { PipelineStatus } from '@millrace/shared/observe/pipeline-status.ts';

const intervalMs = 2_000;

/**
 * Rewrites `<folder>/progress.json`, what `/status.json` shows, every two seconds and at the end. A reader sees a whole
 * file or the one before; a disk that is full stops the file, not the data.
 */
export async function keepProgressFile(
  folder: string,
  { status, logger }: { readonly status: PipelineStatus; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const path = join(folder, 'progress.json');
  const write = async (): Promise<void> => {
    try {
      await mkdir(folder, { recursive: true });
      await writeFile(`${path}.new`, `${JSON.stringify(status.snapshot())}\n`);
      await rename(`${path}.new`, path);
    } catch (error) {
      logger.repeatable('progress cannot be written', { path, error: toCdcError(error) });
    }
  };
  try {
    for (;;) {
      await write();
      await delay(intervalMs, signal);
    }
  } finally {
    await write();
  }
}
