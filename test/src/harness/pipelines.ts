import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { checkoutPath, stackEnvironment } from './environment.ts';

export interface PipelineNames {
  /** MySQL database; also the prefix of topics and pipeline names, so that tests do not meet. */
  readonly database: string;
  readonly folder: string;
}

/**
 * One of the demo's documents, made the test's own: another database, other topics, groups and pipeline names, static
 * group members (a killed member is back at once instead of after its session's end). Returns the file's path.
 */
export function pipelineFile(names: PipelineNames, document: string): string {
  const text = readFileSync(`${checkoutPath}/compose/pipelines/${document}.yaml`, 'utf8')
    .replaceAll('shop\\..*', `${names.database}\\..*`)
    .replaceAll('shop\\.\\*', `${names.database}\\.\\*`)
    .replaceAll(/shop-(\w+)/g, `${names.database}-$1`)
    .replace('name: Kafka Source', `name: Kafka Source\n  properties.group.instance.id: ${names.database}-${document}`);
  const path = `${names.folder}/${document}.yaml`;
  mkdirSync(names.folder, { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Values of the documents' placeholders. */
export function pipelineVariables(postgresUrl: string, lakeDirectory: string): Readonly<Record<string, string>> {
  const environment = stackEnvironment();
  const postgres = new URL(postgresUrl);
  return {
    SECRET_VALUES_MYSQL_HOSTNAME: environment.mysqlCapture.host,
    MYSQL_PORT: String(environment.mysqlCapture.port),
    SECRET_VALUES_MYSQL_USERNAME: environment.mysqlCapture.user,
    SECRET_VALUES_MYSQL_PASSWORD: environment.mysqlCapture.password,
    KAFKA_BOOTSTRAPS_SERVER: environment.kafkaBootstrapServers,
    KAFKA_BOOTSTRAP_SERVERS: environment.kafkaBootstrapServers,
    POSTGRES_URL: `postgresql://${postgres.host}${postgres.pathname}`,
    SECRET_VALUES_POSTGRES_USERNAME: decodeURIComponent(postgres.username),
    SECRET_VALUES_POSTGRES_PASSWORD: decodeURIComponent(postgres.password),
    LAKE_DIRECTORY: lakeDirectory,
  };
}
