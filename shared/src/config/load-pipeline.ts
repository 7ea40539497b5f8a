import { CdcError } from '../errors/cdc-error.ts';
import { readConnectors } from './blocks/connectors.ts';
import type { Connectors } from './blocks/connectors.ts';
import type { BuildContext } from './blocks/context.ts';
import { safeIdentity } from './blocks/context.ts';
import { kafkaSinkDeclarations } from './blocks/kafka-sink-declarations.ts';
import { buildKafkaSink } from './blocks/kafka-sink.ts';
import type { FromSource } from './blocks/kafka-sink.ts';
import { kafkaSourceDeclarations } from './blocks/kafka-source-declarations.ts';
import { buildKafkaSource } from './blocks/kafka-source.ts';
import { lakehouseSinkDeclarations } from './blocks/lakehouse-sink-declarations.ts';
import { buildLakehouseSink } from './blocks/lakehouse-sink.ts';
import { mysqlSourceDeclarations } from './blocks/mysql-source-declarations.ts';
import { buildMysqlSource } from './blocks/mysql-source.ts';
import { postgresSinkDeclarations } from './blocks/postgres-sink-declarations.ts';
import { buildPostgresSink } from './blocks/postgres-sink.ts';
import { buildRuntime, runtimeDeclarations } from './blocks/runtime.ts';
import { readRoute, readTransform } from './blocks/transform.ts';
import { readBlock } from './declare/block.ts';
import type { BlockSource } from './declare/block.ts';
import { deepFreeze } from './deep-freeze.ts';
import { Findings } from './document/problem.ts';
import { readSections } from './document/sections.ts';
import type { Section, Sections } from './document/sections.ts';
import { Variables } from './document/variables.ts';
import type { VariableSources } from './document/variables.ts';
import { parseYamlTree } from './document/yaml-tree.ts';
import type { MapNode } from './document/yaml-tree.ts';
import type { Pipeline } from './pipeline.ts';
import { configInvalid } from './validation-error.ts';

export interface LoadOptions extends VariableSources {
  /** Path of the document; its name without suffix is the default of `pipeline.name`. */
  readonly file: string;
}

export interface LoadedPipeline {
  readonly pipeline: Pipeline;
  /** `file:line:col  path  text`, in document order. */
  readonly warnings: readonly string[];
}

function readDocument(options: LoadOptions, findings: Findings): MapNode | null {
  const place = { file: options.file, line: 1, column: 1 };
  let text: string;
  try {
    text = options.readFile(options.file);
  } catch (error) {
    const details = { file: options.file };
    throw new CdcError('CONFIG_INVALID', 'the pipeline document cannot be read', { details, cause: error });
  }
  const isJson = options.file.endsWith('.json') || /^\s*(\/\/[^\n]*\n\s*)*\{[^]*"connector\.class"/.test(text);
  if (isJson) {
    const rule = 'Debezium connector JSON is not in this version: write the pipeline as YAML';
    findings.problem({ kind: 'unsupported', place, path: '', rule });
    return null;
  }
  const root = parseYamlTree(text, options.file, findings);
  if (root === null || root.kind === 'map') return root;
  findings.problem({ kind: 'yaml', place: root.place, path: '', rule: 'a map with source and sink' });
  return null;
}

function defaultName(file: string): string {
  const base = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return base.replace(/\.[^.]+$/, '') || base;
}

class Loader {
  readonly #sections: Sections;
  readonly #findings: Findings;
  readonly #options: LoadOptions;

  constructor(sections: Sections, findings: Findings, options: LoadOptions) {
    this.#sections = sections;
    this.#findings = findings;
    this.#options = options;
  }

  /** Null after a problem. Every block is read in any case, so that all problems are found. */
  load(): Pipeline | null {
    const { source, sink, pipeline } = this.#sections;
    const connectors = readConnectors(source, sink, this.#findings);
    const runtimeBlock = readBlock(runtimeDeclarations, this.#from(pipeline));
    const context: BuildContext = {
      readFile: this.#options.readFile,
      pipelineName: runtimeBlock.values.name ?? defaultName(this.#options.file),
      parallelism: runtimeBlock.values.parallelism ?? null,
      allowInsecure: runtimeBlock.values['allow-insecure'] ?? false,
    };
    const runtime = buildRuntime(runtimeBlock, connectors.kind ?? 'capture');
    const rules = this.#rules(connectors);
    const ends =
      connectors.source === 'mysql' || connectors.sink === 'kafka'
        ? this.#capture(connectors, context)
        : this.#ingest(connectors, context);
    if (this.#findings.failed || runtime === null || rules === null || ends === null) return null;
    return { name: context.pipelineName, ...ends, ...rules, runtime };
  }

  #from(section: Section): BlockSource {
    return { ...section, findings: this.#findings };
  }

  #rules(connectors: Connectors): Pick<Pipeline, 'transform' | 'route'> | null {
    const sink = connectors.sink ?? 'kafka';
    const transform = this.#sections.transform.map((section) => readTransform(this.#from(section), sink));
    const route = this.#sections.route.map((section) => readRoute(this.#from(section)));
    const complete = {
      transform: transform.filter((rule) => rule !== null),
      route: route.filter((rule) => rule !== null),
    };
    return this.#findings.failed ? null : complete;
  }

  #capture(connectors: Connectors, context: BuildContext) {
    const { source, sink } = this.#sections;
    let fromSource: FromSource = { topicMapping: null, topicPrefix: null };
    let from = null;
    if (source !== null && connectors.source === 'mysql') {
      const block = readBlock(mysqlSourceDeclarations, this.#from(source));
      from = buildMysqlSource(block, context);
      fromSource = {
        topicMapping: block.values['sink.tableId-to-topic.mapping'] ?? null,
        topicPrefix: block.values['topic.prefix'] ?? null,
      };
    }
    if (sink === null || connectors.sink !== 'kafka') return null;
    const to = buildKafkaSink(readBlock(kafkaSinkDeclarations, this.#from(sink)), fromSource, context);
    return from === null || to === null ? null : { kind: 'capture' as const, source: from, sink: to };
  }

  #ingest(connectors: Connectors, context: BuildContext) {
    const { source } = this.#sections;
    const to = this.#destination(connectors, context);
    if (source === null || connectors.source !== 'kafka') return null;
    const commitUser = to?.commitUser ?? safeIdentity(context.pipelineName);
    const from = buildKafkaSource(readBlock(kafkaSourceDeclarations, this.#from(source)), commitUser, context);
    return from === null || to === null ? null : { kind: 'ingest' as const, source: from, sink: to };
  }

  #destination(connectors: Connectors, context: BuildContext) {
    const { sink } = this.#sections;
    if (sink === null) return null;
    if (connectors.sink === 'postgres') {
      return buildPostgresSink(readBlock(postgresSinkDeclarations, this.#from(sink)), context);
    }
    if (connectors.sink === 'lakehouse') {
      return buildLakehouseSink(readBlock(lakehouseSinkDeclarations, this.#from(sink)), context);
    }
    return null;
  }
}

/**
 * Reads one pipeline document: YAML, placeholders, options, types, rules. Nothing is contacted.
 * Throws one `CONFIG_INVALID` that names every problem.
 */
export function loadPipeline(options: LoadOptions): LoadedPipeline {
  const findings = new Findings();
  const variables = new Variables(options, findings);
  const root = readDocument(options, findings);
  const sections = root === null ? null : readSections(root, variables, findings);
  const pipeline = sections === null ? null : new Loader(sections, findings, options).load();
  if (pipeline === null || findings.failed) throw configInvalid(findings);
  return { pipeline: deepFreeze(pipeline), warnings: findings.warnings };
}
