import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricDeclarations } from './metric-declarations.ts';
import type { MetricDeclaration } from './metric-declarations.ts';

type Declarations = typeof metricDeclarations;
type NameOf<Type extends MetricDeclaration['type']> = {
  [Name in keyof Declarations]: Declarations[Name]['type'] extends Type ? Name : never;
}[keyof Declarations];

export type CounterName = NameOf<'counter'>;
export type GaugeName = NameOf<'gauge'>;
export type HistogramName = NameOf<'histogram'>;
/** Exactly the declared labels of a metric. */
export type LabelsOf<Name extends keyof Declarations> = [LabelOf<Name>] extends [never]
  ? Readonly<Record<string, never>>
  : Readonly<Record<LabelOf<Name>, string>>;
type LabelOf<Name extends keyof Declarations> = Declarations[Name]['labels'][number];

export const metricPrefix = 'millrace_';

/** The process's metrics. Called per batch, never per event. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #refreshers: (() => void)[] = [];

  constructor(pipeline: string, kind: 'capture' | 'ingest') {
    this.#registry.setDefaultLabels({ pipeline });
    collectDefaultMetrics({ register: this.#registry });
    for (const [name, declaration] of Object.entries<MetricDeclaration>(metricDeclarations)) {
      if (declaration.in === kind || declaration.in === 'both') this.#register(name, declaration);
    }
  }

  #register(name: string, { type, help, labels, buckets }: MetricDeclaration): void {
    const shape = { name: metricPrefix + name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === 'counter') this.#counters.set(name, new Counter(shape));
    else if (type === 'histogram')
      this.#histograms.set(name, new Histogram({ ...shape, buckets: [...(buckets ?? [])] }));
    else {
      const gauge = new Gauge(shape);
      // Unknown is not 0: a gauge is absent until it is set.
      gauge.remove({});
      this.#gauges.set(name, gauge);
    }
  }

  add<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  set<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** The value is unknown from now on: the series disappears. */
  unset<Name extends GaugeName>(name: Name, labels: LabelsOf<Name>): void {
    this.#gauges.get(name)?.remove(labels);
  }

  observe<Name extends HistogramName>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#histograms.get(name)?.observe(labels, value);
  }

  /** Called before each scrape: for values that grow without an event, such as ages. */
  onScrape(refresh: () => void): void {
    this.#refreshers.push(refresh);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Prometheus text. */
  async text(): Promise<string> {
    for (const refresh of this.#refreshers) refresh();
    return await this.#registry.metrics();
  }
}
