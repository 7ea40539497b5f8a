import { abortable } from '@millrace/shared/async/delay.ts';
import type { TableSchema } from '@millrace/shared/event/schema.ts';

import type { Destination, DestinationLane, DestinationObserver } from '../destination.ts';
import { applicationPrefix } from './application-name.ts';
import { readCatalogTable } from './catalog.ts';
import { checkServerAndRights } from './check.ts';
import { describeTable } from './describe.ts';
import { nameTarget } from './identifier.ts';
import { PostgresLane } from './lane.ts';
import type { PostgresLog } from './lane.ts';
import { postgresSettings } from './options.ts';
import type { PostgresDestinationOptions, PostgresSettings } from './options.ts';
import { openSession } from './session.ts';
import type { PostgresSession } from './session.ts';
import { destinationError } from './sql-state.ts';

class PostgresDestination implements Destination {
  readonly laneCount: number;
  readonly #settings: PostgresSettings;
  readonly #log: PostgresLog;
  readonly #observer: DestinationObserver | null;
  readonly #lanes = new Set<PostgresLane>();

  constructor(settings: PostgresSettings, log: PostgresLog, observer: DestinationObserver | null) {
    this.#settings = settings;
    this.#log = log;
    this.#observer = observer;
    this.laneCount = settings.parallelism;
  }

  check(signal: AbortSignal): Promise<readonly string[]> {
    return this.#withSession('check', signal, (session) => checkServerAndRights(session, this.#settings));
  }

  async openLane(index: number, signal: AbortSignal): Promise<DestinationLane> {
    const lane = new PostgresLane({
      settings: this.#settings,
      log: this.#log,
      observer: this.#observer,
      openSession: (laneSignal) => this.#connect(String(index), laneSignal),
    });
    await lane.connect(signal);
    this.#lanes.add(lane);
    return lane;
  }

  describe(schemaName: string, tableName: string, signal: AbortSignal): Promise<TableSchema | null> {
    const id = { namespace: '', schema: schemaName, table: tableName };
    return this.#withSession('describe', signal, async (session) => {
      const table = await readCatalogTable(session, nameTarget(id, this.#settings));
      return table === null ? null : describeTable(id, table);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => lane[Symbol.asyncDispose]()));
    this.#lanes.clear();
  }

  #connect(name: string, signal: AbortSignal): Promise<PostgresSession> {
    const { address, commitUser, session } = this.#settings;
    return openSession({ address, applicationName: applicationPrefix(commitUser) + name, settings: session }, signal);
  }

  async #withSession<T>(name: string, signal: AbortSignal, work: (session: PostgresSession) => Promise<T>): Promise<T> {
    try {
      await using session = await this.#connect(name, signal);
      return await abortable(work(session), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw destinationError(error, { database: this.#settings.address.database });
    }
  }
}

/**
 * The PostgreSQL destination: rows, offsets and marks of a batch in one transaction, lanes = connections. Nothing is
 * connected yet; throws `CONFIG_INVALID` for options that could never work.
 */
export function openPostgresDestination(
  options: PostgresDestinationOptions,
  log: PostgresLog,
  observer: DestinationObserver | null = null,
): Promise<Destination> {
  return Promise.try(() => new PostgresDestination(postgresSettings(options), log, observer));
}
