/** A PEM file as it was when the document was loaded; `path` is null where the PEM text stood in the document itself. */
export interface PemFile {
  readonly path: string | null;
  readonly text: string;
}
