/** Quotes text for SQL under the empty `sql_mode` of our sessions (backslash escapes). */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}
