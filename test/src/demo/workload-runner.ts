import { delay } from '@millrace/shared/async/delay.ts';
import { createConnection } from 'mysql2/promise';

import { stackEnvironment } from '../harness/environment.ts';
import { seededRandom } from '../shop/random.ts';
import type { ShopSize } from '../shop/shop-tables.ts';
import { changeShop } from '../shop/shop-workload.ts';

/** Keeps changing the shop until disposed; about `perSecond` transactions. */
export class WorkloadRunner implements AsyncDisposable {
  transactions = 0;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(database: string, size: ShopSize, perSecond: number) {
    this.#done = this.#run(database, size, perSecond);
    this.#done.catch(() => undefined);
  }

  async #run(database: string, size: ShopSize, perSecond: number): Promise<void> {
    const connection = await createConnection({ ...stackEnvironment().mysql, database });
    const random = seededRandom(20_260_101);
    try {
      while (!this.#stop.signal.aborted) {
        await changeShop(connection, random, size);
        this.transactions += 1;
        await delay(1000 / perSecond, this.#stop.signal).catch(() => undefined);
      }
    } finally {
      await connection.end();
    }
  }

  /** Ends after the transaction in progress; rethrows what went wrong. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
  }
}
