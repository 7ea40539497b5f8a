import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import { LocalStorage } from './local-storage.ts';
import { VersionLog } from './version-log.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lake-versions-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function versionLog(storage = new LocalStorage()): VersionLog {
  return new VersionLog(storage, directory, '.json', () => undefined);
}

const text = (content: string): Buffer => Buffer.from(content, 'utf8');

test('of many writers of one version exactly one wins, and no temporary file stays', async () => {
  const log = versionLog();
  expect(await log.append(0, text('first'))).toBe(true);
  const outcomes = await Promise.all(Array.from({ length: 12 }, (_, i) => log.append(1, text(`writer ${i}`))));
  expect(outcomes.filter(Boolean)).toHaveLength(1);
  expect((await log.read(2)).toString('utf8')).toBe(`writer ${outcomes.indexOf(true)}`);
  expect((await readdir(directory)).sort()).toEqual(['v1.json', 'v2.json']);
});

test('a writer that slept until its successors were removed does not win a name that is free again', async () => {
  const log = versionLog();
  for (let base = 0; base < 8; base++) await log.append(base, text(String(base)));
  await log.removeUpTo(5);
  expect(await log.versions()).toEqual([1, 6, 7, 8]);
  expect(await log.append(3, text('late'))).toBe(false);
  expect(await log.append(0, text('late'))).toBe(false);
  expect(await log.versions()).toEqual([1, 6, 7, 8]);
});

test('an error after the link took effect is recognised as success', async () => {
  class Answerless extends LocalStorage {
    override async link(existing: string, name: string): Promise<boolean> {
      await super.link(existing, name);
      throw new CdcError('STORAGE_UNAVAILABLE', 'answer lost');
    }
  }
  expect(await versionLog(new Answerless()).append(0, text('mine'))).toBe(true);
  expect(await versionLog(new Answerless()).append(0, text('other'))).toBe(false);
});

test('an answer that cannot be had at all is an unknown commit', async () => {
  class Unreachable extends LocalStorage {
    override link(): Promise<boolean> {
      return Promise.reject(new CdcError('STORAGE_UNAVAILABLE', 'answer lost'));
    }
    override readIfPresent(): Promise<Buffer | null> {
      return Promise.reject(new CdcError('STORAGE_UNAVAILABLE', 'no answer'));
    }
  }
  await expect(versionLog(new Unreachable()).append(0, text('mine'))).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' });
});

test('the newest version is found from any hint, in number order', async () => {
  const log = versionLog();
  for (let base = 0; base < 12; base++) await log.append(base, text(String(base)));
  await writeFile(join(directory, 'v99.json.tmp'), '');
  await writeFile(join(directory, 'v013.json'), '');
  for (const from of [0, 3, 12, 500]) expect(await log.newest(from)).toBe(12);
});

test('the hint follows to what has been committed meanwhile', async () => {
  const log = versionLog();
  for (let base = 0; base < 3; base++) await log.append(base, text(String(base)));
  await log.writeHint(1);
  expect(await readFile(join(directory, 'version-hint.text'), 'latin1')).toBe('3');
  expect(await log.hinted()).toBe(3);
});
