/** Processes of the stack's servers by name, where they run natively on this machine. */
export function serverProcesses(): ReadonlyMap<string, number> {
  const listed = process.env['MILLRACE_STACK_PIDS'] ?? '';
  return new Map(
    listed
      .split(' ')
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [name = '', pid = ''] = entry.split(':');
        return [name, Number(pid)];
      }),
  );
}
