import type { Connection } from 'pg';
import type pg from 'pg';

interface CopyConnection extends Connection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

interface CopyHandlers {
  readonly onReadyForRows?: (connection: CopyConnection) => void;
  readonly onRow?: (row: Buffer) => void;
}

/** Runs one COPY statement: `pg` hands the protocol's messages to whatever it was asked to submit. */
function copy(client: pg.Client, statement: string, handlers: CopyHandlers): Promise<void> {
  const ended = Promise.withResolvers<void>();
  client.query({
    submit: (connection: Connection) => {
      connection.query(statement);
    },
    handleCopyInResponse: (connection: CopyConnection) => handlers.onReadyForRows?.(connection),
    handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => handlers.onRow?.(chunk),
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => {
      ended.resolve();
    },
    handleError: (error: Error) => {
      ended.reject(error);
    },
  });
  return ended.promise;
}

/** `COPY … FROM STDIN` of rows that are there already, in COPY text. */
export function copyIn(client: pg.Client, statement: string, rows: Buffer): Promise<void> {
  return copy(client, statement, {
    onReadyForRows: (connection) => {
      connection.sendCopyFromChunk(rows);
      connection.endCopyFrom();
    },
  });
}

/** `COPY … TO STDOUT`; `onRow` gets each line with its end. */
export function copyOut(client: pg.Client, statement: string, onRow: (row: Buffer) => void): Promise<void> {
  return copy(client, statement, { onRow });
}
