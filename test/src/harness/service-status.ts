import type { StatusSnapshot } from '@millrace/shared/observe/status-snapshot.ts';

import type { Service } from './service.ts';

async function addressOf(service: Service): Promise<string> {
  const line = await service.line('"msg":"started"');
  const { admin } = JSON.parse(line) as { readonly admin: string };
  return admin;
}

async function read(service: Service, path: string): Promise<string> {
  const response = await fetch(new URL(path, await addressOf(service)));
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return await response.text();
}

/** `/status.json` of a program that runs with `--metrics-port 0`. */
export async function statusOf(service: Service): Promise<StatusSnapshot> {
  return JSON.parse(await read(service, '/status.json')) as StatusSnapshot;
}

/** Value of the first series of a metric whose labels match, without its prefix; null when there is none. */
export async function metricOf(service: Service, name: string, labels = ''): Promise<number | null> {
  const text = await read(service, '/metrics');
  for (const line of text.split('\n')) {
    if (line.startsWith(`millrace_${name}{`) && line.includes(labels)) return Number(line.slice(line.lastIndexOf(' ')));
  }
  return null;
}
