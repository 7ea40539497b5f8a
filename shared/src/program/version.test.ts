import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { millraceVersion } from './version.ts';

test.each(['package.json', 'shared/package.json', 'capture/package.json', 'ingest/package.json'])(
  'the version of %s is the one that programs print',
  (file) => {
    const text = readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');
    expect((JSON.parse(text) as { version: string }).version).toBe(millraceVersion);
  },
);
