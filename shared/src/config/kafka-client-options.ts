import type { PemFile } from './pem-file.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export interface KafkaTls {
  /** Certificates to trust; null = those of the system. */
  readonly ca: PemFile | null;
  /** Own certificate and key for mutual TLS. */
  readonly cert: PemFile | null;
  readonly key: PemFile | null;
  readonly keyPassphrase: string | null;
  /** False only where `ssl.endpoint.identification.algorithm` is empty. */
  readonly verifyHostname: boolean;
}

export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      readonly tokenEndpointUrl: string;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope: string | null;
    };

export interface KafkaSecurity {
  readonly tls: KafkaTls | null;
  readonly sasl: KafkaSasl | null;
}

export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** Every record is written with acks=all; there is no option to weaken it. */
export interface KafkaProducerSettings {
  /** False: no InitProducerId is sent, for brokers that know neither idempotent nor transactional writes. */
  readonly idempotence: boolean;
  readonly compression: KafkaCompression;
  readonly lingerMs: number;
  readonly batchSizeBytes: number;
  /** Largest record and request that is sent; a larger record is `BROKER_RECORD_TOO_LARGE`. */
  readonly maxRequestSizeBytes: number;
  /** Batches under way per partition: 1 to 5; 1 where idempotence is off, so that a retry cannot reorder. */
  readonly maxInFlightRequests: number;
  readonly deliveryTimeoutMs: number;
}

export interface KafkaConsumerSettings {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly autoOffsetReset: 'earliest' | 'latest' | 'none';
  readonly isolationLevel: 'read_committed' | 'read_uncommitted';
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly maxPartitionFetchBytes: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxPollIntervalMs: number;
}

/** `properties.*` of a Kafka source or sink. */
export interface KafkaClientOptions {
  readonly bootstrapServers: readonly BrokerAddress[];
  readonly clientId: string;
  readonly security: KafkaSecurity;
  readonly requestTimeoutMs: number;
  readonly metadataMaxAgeMs: number;
  readonly retryBackoffMs: number;
  readonly producer: KafkaProducerSettings;
  readonly consumer: KafkaConsumerSettings;
}
