/** Longer texts are always quoted; shorter ones when they hold a character below `-`: the rule of Flink's CSV encoder. */
const longestUnquoted = 24;
const unsafe = /[\0-,]/;

/** One JSON value as a CSV field; null and the empty text are empty. */
export function csvField(json: string): string {
  if (json === 'null') return '';
  if (json.startsWith('[')) return quoteCsv((JSON.parse(json) as unknown[]).map(String).join(';'));
  return json.startsWith('"') ? quoteCsv(JSON.parse(json) as string) : json;
}

function quoteCsv(text: string): string {
  return text.length > longestUnquoted || unsafe.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
