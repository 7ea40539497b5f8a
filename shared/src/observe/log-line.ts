import type { PlainValue } from './redaction.ts';

type Line = Readonly<Record<string, PlainValue>>;

const head = new Set(['time', 'level', 'msg', 'component', 'pipeline', 'err']);

/** One log record as a person reads it on a terminal: time, level, component, message, fields, then the error. */
export function formatForTerminal(line: Line): string {
  const time = text(line['time']).slice(11, 23);
  const level = text(line['level']).toUpperCase().padEnd(5);
  const component = line['component'] === undefined ? '' : `[${text(line['component'])}] `;
  const fields = Object.entries(line).filter(([name]) => !head.has(name));
  const shown = fields.map(([name, value]) => `  ${name}=${text(value)}`).join('');
  return `${time} ${level} ${component}${text(line['msg'])}${shown}${formatError(line['err'])}\n`;
}

function formatError(value: PlainValue | undefined): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const error = value as Line;
  const lines = [`\n    ${text(error['code'] ?? error['name'])}  ${text(error['message'])}`];
  const details = error['details'];
  if (details !== null && typeof details === 'object') {
    for (const [name, detail] of Object.entries(details)) lines.push(`      ${name.padEnd(10)} ${text(detail)}`);
  }
  if (error['hint'] !== undefined) lines.push(`      ${'fix'.padEnd(10)} ${text(error['hint'])}`);
  else if (error['stack'] !== undefined) lines.push(text(error['stack']));
  return lines.join('\n') + formatError(error['cause']);
}

function text(value: PlainValue | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
