/** Told per batch and request, for metrics. Must not throw. */
export interface ProducerObserver {
  /** The brokers hold a batch; `bytes` as sent. */
  delivered(topic: string, records: number, bytes: number): void;
  /** A request was answered. */
  answered(seconds: number): void;
  /** A batch must be sent again. */
  sentAgain(): void;
}
