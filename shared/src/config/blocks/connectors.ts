import { nearestName } from '../declare/nearest-name.ts';
import { notYet } from '../declare/option.ts';
import { redacted } from '../document/problem.ts';
import type { Findings } from '../document/problem.ts';
import type { Section } from '../document/sections.ts';

export type SourceConnector = 'mysql' | 'kafka';
export type SinkConnector = 'kafka' | 'postgres' | 'lakehouse';

const sources: Readonly<Record<string, SourceConnector>> = { mysql: 'mysql', mariadb: 'mysql', kafka: 'kafka' };
const sinks: Readonly<Record<string, SinkConnector>> = {
  kafka: 'kafka',
  postgres: 'postgres',
  lakehouse: 'lakehouse',
  iceberg: 'lakehouse',
  paimon: 'lakehouse',
};
const later: Readonly<Record<'source' | 'sink', Readonly<Record<string, string>>>> = {
  source: { postgres: `postgres as a source: ${notYet}; mysql, mariadb and kafka are` },
  sink: { delta: `delta: ${notYet}; use lakehouse, which writes Iceberg` },
};

function typeOf<C extends string>(
  section: Section,
  side: 'source' | 'sink',
  known: Readonly<Record<string, C>>,
  findings: Findings,
): C | null {
  const setting = section.settings.get('type');
  const [text] = setting?.texts ?? [];
  if (setting === undefined || text?.text === '') {
    const rule = `required: one of ${Object.keys(known).join(', ')}`;
    findings.problem({ kind: 'missing', place: setting?.keyPlace ?? section.place, path: `${side}.type`, rule });
    return null;
  }
  if (text === undefined) return null;
  const type = text.text.trim().toLowerCase();
  if (Object.hasOwn(known, type)) return known[type] ?? null;
  const reason = Object.hasOwn(later[side], type) ? later[side][type] : undefined;
  findings.problem({
    kind: 'unsupported',
    place: text.place,
    path: `${side}.type`,
    value: text.secret ? redacted : text.text,
    rule: reason ?? `not a ${side} of Millrace: ${Object.keys(known).join(', ')} are`,
    nearest: reason === undefined && !text.secret ? nearestName(type, Object.keys(known)) : null,
  });
  return null;
}

export interface Connectors {
  readonly source: SourceConnector | null;
  readonly sink: SinkConnector | null;
  /** What the document is as far as its parts tell; null when they do not go together. */
  readonly kind: 'capture' | 'ingest' | null;
}

/** Kafka stands between the two stages, so one side of every document is Kafka. */
export function readConnectors(source: Section | null, sink: Section | null, findings: Findings): Connectors {
  const from = source === null ? null : typeOf(source, 'source', sources, findings);
  const to = sink === null ? null : typeOf(sink, 'sink', sinks, findings);
  if (from !== null && to !== null && (from === 'kafka') === (to === 'kafka')) {
    findings.problem({
      kind: 'unsupported',
      place: sink?.settings.get('type')?.texts?.[0]?.place ?? { file: '', line: 1, column: 1 },
      path: 'sink.type',
      rule: 'Kafka stands between the two stages: one document from the database to kafka, another from kafka on',
    });
    return { source: from, sink: to, kind: null };
  }
  if (from === 'mysql' || to === 'kafka') return { source: from, sink: to, kind: 'capture' };
  return { source: from, sink: to, kind: from === null && to === null ? null : 'ingest' };
}
