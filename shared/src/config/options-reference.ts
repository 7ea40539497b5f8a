import { kafkaSinkDeclarations } from './blocks/kafka-sink-declarations.ts';
import { kafkaClientDeclarations } from './blocks/kafka-client-declarations.ts';
import { kafkaSourceDeclarations } from './blocks/kafka-source-declarations.ts';
import { lakehouseSinkDeclarations } from './blocks/lakehouse-sink-declarations.ts';
import { mysqlSourceDeclarations } from './blocks/mysql-source-declarations.ts';
import { postgresSinkDeclarations } from './blocks/postgres-sink-declarations.ts';
import { runtimeDeclarations } from './blocks/runtime.ts';
import { sharedSinkDeclarations } from './blocks/shared-sink-declarations.ts';
import { routeDeclarations, transformDeclarations } from './blocks/transform.ts';
import type { Declarations, Option } from './declare/option.ts';

interface Chapter {
  readonly title: string;
  readonly declarations: Declarations;
  /** Chapters whose options this block has too. */
  readonly includes?: readonly { readonly title: string; readonly declarations: Declarations }[];
}

const client = { title: 'Kafka client', declarations: kafkaClientDeclarations };
const everySink = { title: 'Every destination', declarations: sharedSinkDeclarations };

const chapters: readonly Chapter[] = [
  { title: 'source: mysql, mariadb (capture)', declarations: mysqlSourceDeclarations },
  { title: 'sink: kafka (capture)', declarations: kafkaSinkDeclarations, includes: [client] },
  { title: 'source: kafka (ingest)', declarations: kafkaSourceDeclarations, includes: [client] },
  { title: 'sink: postgres (ingest)', declarations: postgresSinkDeclarations, includes: [everySink] },
  {
    title: 'sink: lakehouse, iceberg, paimon (ingest)',
    declarations: lakehouseSinkDeclarations,
    includes: [everySink],
  },
  everySink,
  client,
  { title: 'transform', declarations: transformDeclarations },
  { title: 'route', declarations: routeDeclarations },
  { title: 'pipeline', declarations: runtimeDeclarations },
];

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}

function typeAndDefault(option: Option<unknown>): string {
  const label = option.type?.label ?? (option.presence === 'collected' ? 'text' : '–');
  if (option.presence === 'required') return `${label}, required`;
  if (option.default === null) return label;
  return `${label}; ${option.default === '' ? 'empty' : `\`${option.default}\``}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function meaning(option: Option<unknown>): string {
  const parts = [sentence(option.doc)];
  if (option.aliases.length > 0) parts.push(`Also ${option.aliases.map((alias) => `\`${alias}\``).join(', ')}`);
  if (option.later !== null) {
    const condition = option.presence === 'optional' || option.presence === 'collected' ? 'Any value' : 'Another value';
    parts.push(`${condition} is refused (${option.later})`);
  }
  for (const [value, note] of Object.entries(option.notes)) parts.push(`\`${value}\` is ${note.as}: ${note.reason}`);
  return `${parts.join('. ')}.`;
}

function row(name: string, option: Option<unknown>): string {
  const cells = [
    `\`${name}\`${option.own ? ' †' : ''}`,
    cell(typeAndDefault(option)),
    option.status,
    cell(meaning(option)),
  ];
  return `| ${cells.join(' | ')} |`;
}

function chapterText({ title, declarations, includes = [] }: Chapter): string {
  const elsewhere = new Set(includes.flatMap((chapter) => Object.keys(chapter.declarations)));
  const rows = Object.entries(declarations)
    .filter(([name]) => !elsewhere.has(name))
    .map(([name, option]) => row(name, option));
  const also = includes.map((chapter) => `Options of “${chapter.title}” belong to this block as well.\n\n`).join('');
  return `## ${title}\n\n${also}| Option | Type; default | Status | Meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const introduction = `# Options

Every option of the pipeline documents, generated from the declarations that also check them.

Status: **W** works · **D** accepted with the meaning given here · **N** accepted with a warning that it has no effect ·
**R** refused. † marks options of Millrace's own. A name that ends in \`*\` stands for every name with that beginning.
A nested map is the same as its dotted form. Durations: \`500ms\`, \`30s\`, \`5min\`, \`1h\`, \`PT30S\`, a bare number is
milliseconds. Sizes: bytes, or \`kb\`, \`mb\`, \`gb\` as powers of 1024. Lists: comma text or a YAML sequence.
`;

/** The page `docs/reference/options.md`. */
export function optionsReference(): string {
  return [introduction, ...chapters.map(chapterText)].join('\n');
}
