/** PostgreSQL cuts `application_name` at 63 bytes; the end, which tells lanes apart, must survive. */
const maxUserLength = 40;

export function applicationPrefix(commitUser: string): string {
  return `millrace:${commitUser.slice(0, maxUserLength)}:`;
}
