import { writeFileSync } from 'node:fs';

import { stackEnvironment } from './environment.ts';

export interface CaptureDocument {
  readonly folder: string;
  /** Name of the pipeline. */
  readonly name: string;
  /** Topic of the schema log; default the name with `.schema` behind it. */
  readonly schemaLog?: string;
  /** Selector after `tables:`. */
  readonly tables: string;
  /** Further lines of each block, without indentation. */
  readonly source?: readonly string[];
  readonly transform?: readonly string[];
  readonly sink?: readonly string[];
  readonly pipeline?: readonly string[];
}

function block(name: string, lines: readonly string[]): string {
  return `${name}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Writes a capture document for the stack's servers and returns its path. */
export function captureFile(document: CaptureDocument): string {
  const { mysqlCapture, kafkaBootstrapServers } = stackEnvironment();
  const { folder, name, tables, transform = [] } = document;
  const text = [
    block('source', [
      'type: mysql',
      `hostname: ${mysqlCapture.host}`,
      `port: ${mysqlCapture.port}`,
      `username: ${mysqlCapture.user}`,
      `password: ${mysqlCapture.password}`,
      `tables: ${tables}`,
      'server-id: 20000-29999',
      ...(document.source ?? []),
    ]),
    transform.length === 0 ? '' : block('transform', transform),
    block('sink', [
      'type: kafka',
      `properties.bootstrap.servers: ${kafkaBootstrapServers}`,
      `sink.schema.topic: ${document.schemaLog ?? `${name}.schema`}`,
      ...(document.sink ?? []),
    ]),
    block('pipeline', [`name: ${name}`, 'checkpoint.interval: 100ms', ...(document.pipeline ?? [])]),
  ].join('');
  const path = `${folder}/${name}.yaml`;
  writeFileSync(path, text);
  return path;
}
