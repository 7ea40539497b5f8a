import type { RowRenderer } from '../../source.ts';

export interface MysqlRowRenderer extends RowRenderer {
  /** Cells so far in which U+FFFD stands for undecodable bytes (`values_replaced_total`). */
  readonly replacedTexts: number;
}
