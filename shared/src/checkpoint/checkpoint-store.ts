/** One pipeline's durable text. */
export interface CheckpointStore extends AsyncDisposable {
  /** The newest saved text; null when there is none. Throws `CHECKPOINT_UNREADABLE`. */
  load(signal: AbortSignal): Promise<string | null>;
  /** Resolves when the text is durable; the caller never overlaps two saves. Throws `CHECKPOINT_UNWRITABLE`. */
  save(text: string, signal: AbortSignal): Promise<void>;
}
