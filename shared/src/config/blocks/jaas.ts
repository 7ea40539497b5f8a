import { parsed, unparsable } from '../parsed.ts';
import type { Parsed } from '../parsed.ts';

/** The one entry of a `sasl.jaas.config`. */
export interface JaasEntry {
  /** Null for a login module that is not one of Kafka's three. */
  readonly module: 'plain' | 'scram' | 'oauthbearer' | null;
  readonly options: ReadonlyMap<string, string>;
}

// Connectors relocate Kafka's classes into packages of their own, so only the end of the name counts.
const knownModule =
  /(?:^|\.)org\.apache\.kafka\.common\.security\.(?:plain\.(Plain)|scram\.(Scram)|oauthbearer\.(OAuthBearer))LoginModule$/;

const entryForm = /^\s*([\w.$]+)\s+(?:required|requisite|sufficient|optional)\b([^]*?);?\s*$/i;
const optionForm = /\s*([\w.-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"';]+))/gy;

function moduleOf(className: string): JaasEntry['module'] {
  const match = knownModule.exec(className);
  if (match === null) return null;
  if (match[1] !== undefined) return 'plain';
  return match[2] === undefined ? 'oauthbearer' : 'scram';
}

/** `<class> required name="value" …;` as the JAAS file format has it. */
export function parseJaas(text: string): Parsed<JaasEntry> {
  const entry = entryForm.exec(text);
  const rule = 'a login module class, `required`, and options such as username="…" password="…";';
  if (entry?.[1] === undefined || entry[2] === undefined) return unparsable(rule);
  const options = new Map<string, string>();
  const tail = entry[2].trimEnd();
  optionForm.lastIndex = 0;
  while (optionForm.lastIndex < tail.length) {
    const match = optionForm.exec(tail);
    if (match?.[1] === undefined) return unparsable(rule);
    const quoted = match[2] ?? match[3];
    options.set(match[1], quoted === undefined ? (match[4] ?? '') : quoted.replaceAll(/\\(.)/gs, '$1'));
  }
  return parsed({ module: moduleOf(entry[1]), options });
}
