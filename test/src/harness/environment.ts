import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout's root folder, without a slash at its end. */
export const checkoutPath = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

export interface MysqlAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

export interface StackEnvironment {
  /** Unrestricted; for the tests' own writes. */
  readonly mysql: MysqlAddress;
  /** Exactly SELECT, REPLICATION SLAVE, REPLICATION CLIENT: what the product is told to ask for. */
  readonly mysqlCapture: MysqlAddress;
  readonly kafkaBootstrapServers: string;
  /** A command that takes a class name of Kafka's jars and its arguments. */
  readonly kafkaRunClass: readonly string[];
  readonly postgresUrl: string;
  /** Python with DuckDB and PyIceberg; undefined until `scripts/stack readers` has run. */
  readonly readersPython: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Parses the `export NAME=value` lines of `scripts/stack env`. */
export function parseExports(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const match = /^export ([A-Z0-9_]+)=(?:'([^']*)'|(.*))$/.exec(line);
    if (match?.[1] !== undefined) variables[match[1]] = match[2] ?? match[3] ?? '';
  }
  return variables;
}

/** This process's environment for a child, with additions; terminals' colours are off. */
export function childEnvironment(additions: Variables = {}): Variables {
  return { ...process.env, NO_COLOR: '1', ...additions };
}

let cached: StackEnvironment | undefined;

/** Addresses of the running stack: from the environment where it has them, else from `scripts/stack env`. */
export function stackEnvironment(): StackEnvironment {
  cached ??= fromVariables(
    process.env['MYSQL_PORT'] === undefined
      ? parseExports(execFileSync(`${checkoutPath}/scripts/stack`, ['env'], { encoding: 'utf8' }))
      : process.env,
  );
  return cached;
}

function fromVariables(variables: Variables): StackEnvironment {
  const required = (name: string): string => {
    const value = variables[name];
    if (value === undefined) throw new Error(`the stack's environment lacks ${name}: run scripts/stack up`);
    return value;
  };
  const server = { host: required('MYSQL_HOST'), port: Number(required('MYSQL_PORT')) };
  return {
    mysql: { ...server, user: required('MYSQL_USER'), password: required('MYSQL_PASSWORD') },
    mysqlCapture: {
      ...server,
      user: required('MYSQL_CAPTURE_USER'),
      password: required('MYSQL_CAPTURE_PASSWORD'),
    },
    kafkaBootstrapServers: required('KAFKA_BOOTSTRAP_SERVERS'),
    kafkaRunClass: required('KAFKA_RUN_CLASS').split(' '),
    postgresUrl: required('POSTGRES_URL'),
    readersPython: variables['READERS_PYTHON'],
  };
}
