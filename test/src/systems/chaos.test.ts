import { existsSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import { expect, test } from 'vitest';
import { delay } from '@millrace/shared/async/delay.ts';

import { compareTable } from '../compare/compare-tables.ts';
import { pipelineFile, pipelineVariables } from '../harness/pipelines.ts';
import { stackEnvironment } from '../harness/environment.ts';
import { eventually } from '../harness/eventually.ts';
import { MysqlDatabase } from '../harness/mysql-database.ts';
import { PostgresDatabase } from '../harness/postgres-database.ts';
import { scratchFolder } from '../harness/scratch-folder.ts';
import { spawnService } from '../harness/service.ts';
import type { Service } from '../harness/service.ts';
import { seededRandom } from '../shop/random.ts';
import { shopDefinitions, shopRows, shopTables } from '../shop/shop-tables.ts';
import { changeShop } from '../shop/shop-workload.ts';

const size = { customers: 2000, products: 800, orders: 6000 };
const rounds = 24;
const forever = new AbortController().signal;

/** A program that is killed and started again; remembers how often. */
class Restarted {
  readonly #start: () => Service;
  service: Service;
  kills = 0;

  constructor(start: () => Service) {
    this.#start = start;
    this.service = start();
  }

  async kill(): Promise<void> {
    await this.service.kill('SIGKILL');
    this.kills += 1;
    this.service = this.#start();
  }
}

test(
  'T142 T148 rows are equal in MySQL, PostgreSQL and the lake after kill -9 of every program at random moments',
  { timeout: 600_000 },
  async () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    await using mysql = await MysqlDatabase.create('chaos');
    await using postgres = await PostgresDatabase.create('chaos');
    await using folder = await scratchFolder();
    for (const sql of [...shopDefinitions, ...shopRows(size)]) await mysql.run(sql);
    const names = { database: mysql.name, folder: folder.path };
    const env = pipelineVariables(postgres.url, `${names.folder}/lake`);
    const start = (program: 'capture' | 'ingest', file: string) => () =>
      spawnService(program, ['run', pipelineFile(names, file), '--metrics-port', '-1'], { env });
    const programs = [
      new Restarted(start('capture', 'capture')),
      new Restarted(start('ingest', 'ingest-postgres')),
      new Restarted(start('ingest', 'ingest-lake')),
    ];
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(async () => {
      await Promise.all(programs.map((program) => program.service.kill('SIGKILL')));
    });

    const stop = new AbortController();
    const changes = (async () => {
      const connection = await createConnection({ ...stackEnvironment().mysql, database: mysql.name });
      try {
        let committed = 0;
        while (!stop.signal.aborted) committed += await changeShop(connection, random, size);
        return committed;
      } finally {
        await connection.end();
      }
    })();

    for (let round = 0; round < rounds; round++) {
      await delay(200 + Math.floor(random() * 2500), forever);
      const target = programs[round % programs.length];
      await target?.kill();
    }
    stop.abort();
    expect(await changes).toBeGreaterThan(rounds);
    expect(programs.map(({ kills }) => kills)).toEqual([8, 8, 8]);

    for (const table of shopTables) {
      const lake = `${folder.path}/lake/${mysql.name}/${table}`;
      const compare = async () => {
        for (const { service } of programs) if (!service.running) throw new Error(service.tail());
        if (!existsSync(lake)) return undefined;
        const target = { client: postgres.client, schema: mysql.name, table };
        const { rows, differences } = await compareTable({
          mysql: mysql.connection,
          database: mysql.name,
          table,
          postgres: target,
          lake,
        });
        if (differences.length > 0)
          throw new Error(`seed ${seed}, ${table}: ${JSON.stringify(differences.slice(0, 3))}`);
        return rows;
      };
      const rows = await eventually(`${table} equal in all three (seed ${seed})`, compare, {
        timeoutMs: 90_000,
        everyMs: 1000,
      });
      expect(rows).toBeGreaterThan(0);
    }
  },
);
