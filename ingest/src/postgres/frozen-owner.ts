import { applicationPrefix } from './application-name.ts';
import { metadataNames } from './metadata.ts';
import type { PostgresSession } from './session.ts';

/**
 * Ends connections of this pipeline and role that hold the offsets while the server waits for their client: a process
 * that was frozen inside a batch. No timeout of the server ends a COPY whose client is silent. Batches that the server
 * is working on are left alone. To be called after a wait for the offsets has run into `lock_timeout`.
 */
export async function endFrozenOwners(
  session: PostgresSession,
  metadataSchema: string,
  commitUser: string,
): Promise<number> {
  const rows = await session.query(
    `SELECT pg_terminate_backend(a.pid) AS ended FROM pg_stat_activity a
      WHERE a.usename = current_user AND a.pid <> pg_backend_pid() AND starts_with(a.application_name, $1)
        AND a.wait_event = 'ClientRead' AND a.xact_start IS NOT NULL
        AND a.state_change < clock_timestamp() - 0.8 * (SELECT setting::float8 FROM pg_settings
          WHERE name = 'lock_timeout') * interval '1 millisecond'
        AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.mode = 'RowExclusiveLock'
          AND l.relation = to_regclass($2))`,
    [applicationPrefix(commitUser), metadataNames(metadataSchema).offsets],
  );
  return rows.length;
}
