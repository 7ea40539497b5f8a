import type { CapturePipeline, IngestPipeline, Pipeline } from './pipeline.ts';

/** A loaded document among others. */
export interface NamedPipeline {
  readonly file: string;
  readonly pipeline: Pipeline;
}

interface Claim {
  readonly what: string;
  /** Equal keys of two documents are a conflict. */
  readonly key: string;
}

function captureClaims({ name, source, sink, runtime }: CapturePipeline): readonly Claim[] {
  const server = `${source.hostname.toLowerCase()}:${source.port}`;
  const brokers = brokersOf(sink.client.bootstrapServers);
  const claims: Claim[] = [];
  const { first, last } = source.serverIds;
  // A pool may be wide; the ids themselves are compared by range below.
  claims.push({ what: `server-id ${first === last ? first : `${first}-${last}`}`, key: `id ${server}` });
  if (sink.topicPrefix !== null) {
    claims.push({ what: `topic.prefix ${sink.topicPrefix}`, key: `prefix ${brokers} ${sink.topicPrefix}` });
  }
  if (runtime.checkpoint.store === 'kafka') {
    claims.push({
      what: `pipeline.name ${name} in ${runtime.checkpoint.topic}`,
      key: `checkpoint ${brokers} ${runtime.checkpoint.topic} ${name}`,
    });
  }
  return claims;
}

function brokersOf(brokers: readonly { readonly host: string; readonly port: number }[]): string {
  return brokers
    .map(({ host, port }) => `${host.toLowerCase()}:${port}`)
    .toSorted()
    .join(',');
}

function ingestClaims({ sink, source }: IngestPipeline): readonly Claim[] {
  const destination =
    sink.kind === 'postgres'
      ? `${sink.hostname.toLowerCase()}:${sink.port}/${sink.database}/${sink.metadataSchema}`
      : sink.warehouse.replace(/\/+$/, '');
  const brokers = brokersOf(source.client.bootstrapServers);
  const { groupId } = source.client.consumer;
  return [
    { what: `commit.user ${sink.commitUser}`, key: `commit ${destination} ${sink.commitUser}` },
    { what: `properties.group.id ${groupId}`, key: `group ${brokers} ${groupId}` },
  ];
}

function overlap(a: CapturePipeline, b: CapturePipeline): boolean {
  return a.source.serverIds.first <= b.source.serverIds.last && b.source.serverIds.first <= a.source.serverIds.last;
}

function sharedClaims(a: Pipeline, b: Pipeline): readonly Claim[] {
  if (a.kind === 'capture' && b.kind === 'capture') {
    const others = captureClaims(b);
    return captureClaims(a).filter(
      ({ key }) => others.some((other) => other.key === key) && (!key.startsWith('id ') || overlap(a, b)),
    );
  }
  if (a.kind === 'ingest' && b.kind === 'ingest') {
    const others = ingestClaims(b);
    return ingestClaims(a).filter(({ key }) => others.some((other) => other.key === key));
  }
  return [];
}

/** What two of the documents may not share, one line per pair and thing; they would fence or skip each other. */
export function conflictsBetween(pipelines: readonly NamedPipeline[]): readonly string[] {
  const conflicts: string[] = [];
  for (const [index, { file, pipeline }] of pipelines.entries()) {
    for (const earlier of pipelines.slice(0, index)) {
      for (const claim of sharedClaims(pipeline, earlier.pipeline)) {
        conflicts.push(`${file}  conflict: ${claim.what} is also used by ${earlier.file}`);
      }
    }
  }
  return conflicts;
}
