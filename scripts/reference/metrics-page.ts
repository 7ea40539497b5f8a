import { metricDeclarations } from '../../shared/src/observe/metric-declarations.ts';
import type { MetricDeclaration } from '../../shared/src/observe/metric-declarations.ts';
import { metricPrefix } from '../../shared/src/observe/metrics.ts';
import { generatedNote, markdownTable } from './markdown.ts';

const chapters = [
  ['Both programs', 'both'],
  ['Capture', 'capture'],
  ['Ingest', 'ingest'],
] as const;

function chapter(title: string, where: MetricDeclaration['in']): string {
  const rows = Object.entries<MetricDeclaration>(metricDeclarations)
    .filter(([, declaration]) => declaration.in === where)
    .map(([name, { type, labels, help }]) => [
      `\`${metricPrefix}${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]);
  return `## ${title}\n\n${markdownTable(['Metric', 'Type', 'Labels', 'Meaning'], rows)}\n`;
}

/** Everything under `GET /metrics`. */
export function metricsPage(): string {
  return `# Metrics

${generatedNote}

\`GET /metrics\` answers in Prometheus text. Every series has the label \`pipeline\` besides those below; a gauge whose
value is unknown is absent, not 0. The process's own metrics (\`process_*\`, \`nodejs_*\`) keep their usual names.

${chapters.map(([title, where]) => chapter(title, where)).join('\n')}`;
}
