import { randomUUID } from 'node:crypto';

import { CdcError } from '@millrace/shared/errors/cdc-error.ts';

import type { LocalStorage } from './local-storage.ts';

/** Places in a commit that tests interrupt. */
export type VersionStep = 'temporary-written' | 'linked' | 'directory-synced' | 'hint-replaced';

/**
 * A sequence of files `v<N><suffix>` in one directory, of which each is created once: whoever creates `v<N+1>` has
 * decided what follows `v<N>`. `version-hint.text` names the newest for readers that do not look for it.
 */
export class VersionLog {
  readonly directory: string;
  readonly #storage: LocalStorage;
  readonly #suffix: string;
  readonly #onStep: (step: VersionStep) => void;

  constructor(storage: LocalStorage, directory: string, suffix: string, onStep: (step: VersionStep) => void) {
    this.#storage = storage;
    this.directory = directory;
    this.#suffix = suffix;
    this.#onStep = onStep;
  }

  pathOf(version: number): string {
    return `${this.directory}/v${version}${this.#suffix}`;
  }

  /** The version a file name stands for, or null. */
  versionOf(name: string): number | null {
    if (!name.startsWith('v') || !name.endsWith(this.#suffix)) return null;
    const digits = name.slice(1, name.length - this.#suffix.length);
    return /^[1-9]\d*$/.test(digits) ? Number(digits) : null;
  }

  async versions(): Promise<readonly number[]> {
    const names = await this.#storage.list(this.directory);
    return names.flatMap((name) => this.versionOf(name) ?? []).sort((a, b) => a - b);
  }

  /** Newest version, 0 when there is none. `from` is one that was seen before; files are probed upwards from it. */
  async newest(from: number): Promise<number> {
    let version = from;
    if (version === 0 || !(await this.#storage.exists(this.pathOf(version)))) {
      version = (await this.versions()).at(-1) ?? 0;
      if (version === 0) return 0;
    }
    while (await this.#storage.exists(this.pathOf(version + 1))) version++;
    return version;
  }

  read(version: number): Promise<Buffer> {
    return this.#storage.read(this.pathOf(version));
  }

  /**
   * Makes `content` version `base + 1`, durably. False when somebody else did. An unclear answer of the file system is
   * resolved by reading; where even that fails, `COMMIT_UNKNOWN`. `prerequisite` makes durable what `content` refers to.
   */
  async append(base: number, content: Buffer, prerequisite: Promise<unknown> = Promise.resolve()): Promise<boolean> {
    const temporary = `${this.directory}/${randomUUID()}.tmp`;
    const target = this.pathOf(base + 1);
    await Promise.all([this.#storage.writeNew(temporary, content), prerequisite]);
    this.#onStep('temporary-written');
    let won: boolean;
    try {
      won = await this.#storage.link(temporary, target);
    } catch (error) {
      won = await this.#resolve(target, content, error);
    }
    if (won && !(await this.#baseStands(base))) {
      // Versions are removed from the oldest on: without its base this name was free only because it had been removed.
      await this.#storage.remove(target);
      won = false;
    }
    if (won) this.#onStep('linked');
    await this.#finish(temporary, won);
    if (won) this.#onStep('directory-synced');
    return won;
  }

  /**
   * Sets the hint to `version` or to what has followed it by now, so that the later of two writers does not leave the
   * older number. Never points ahead; readers that use it verbatim see an older version until then.
   */
  async writeHint(version: number): Promise<void> {
    const hint = `${this.directory}/version-hint.text`;
    for (let newest = version, written = 0; newest !== written; newest = await this.newest(newest)) {
      const temporary = `${this.directory}/${randomUUID()}.tmp`;
      await this.#storage.replace(hint, temporary, Buffer.from(String(newest), 'latin1'));
      written = newest;
    }
    this.#onStep('hint-replaced');
  }

  /** What the hint says, 0 when it is missing or damaged. */
  async hinted(): Promise<number> {
    const hint = await this.#storage.readIfPresent(`${this.directory}/version-hint.text`);
    const text = hint?.toString('latin1').trim() ?? '';
    return /^[1-9]\d*$/.test(text) ? Number(text) : 0;
  }

  /** Brings a stale, torn or missing hint up to date. */
  async repairHint(version: number): Promise<boolean> {
    const hint = await this.#storage.readIfPresent(`${this.directory}/version-hint.text`);
    if (hint?.toString('latin1') === String(version)) return false;
    await this.writeHint(version);
    return true;
  }

  /** Version 1 is never removed: creation stays a safe compare-and-swap. */
  async removeUpTo(last: number): Promise<void> {
    for (const version of await this.versions()) {
      if (version > 1 && version <= last) await this.#storage.remove(this.pathOf(version));
    }
  }

  async #resolve(target: string, content: Buffer, cause: unknown): Promise<boolean> {
    try {
      return (await this.#storage.readIfPresent(target))?.equals(content) ?? false;
    } catch {
      throw new CdcError('COMMIT_UNKNOWN', 'it is not known whether the commit took effect', {
        details: { version: target },
        cause,
      });
    }
  }

  async #baseStands(base: number): Promise<boolean> {
    return base <= 1 || (await this.#storage.exists(this.pathOf(base)));
  }

  async #finish(temporary: string, won: boolean): Promise<void> {
    if (won) await this.#storage.syncDirectory(this.directory);
    await this.#storage.remove(temporary);
  }
}
