/** How quotes and escapes are to be read: from the `sql_mode` of the event. */
export interface TokenRules {
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
}

/**
 * `word`: a bare name or keyword. `name`: a quoted identifier, unquoted here. `string`: a literal, its text not kept.
 * `mark`: one other character. `end`: nothing left, for good.
 */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'string' | 'mark' | 'end';
  readonly text: string;
  /** Upper case for words, else empty: what keywords are compared with. */
  readonly keyword: string;
}

const endToken: SqlToken = { kind: 'end', text: '', keyword: '' };
const wordPattern = /[0-9A-Za-z_$\u0080-\uffff]+/y;
const blankPattern = /[\s\0]+/y;
const openComment = /\/\*(?:M?!\d*)?/y;

/** Splits a statement lazily, comments left out and versioned comments unwrapped (T71). */
export class SqlTokens {
  readonly #text: string;
  readonly #rules: TokenRules;
  #at = 0;
  /** Inside a versioned comment, whose closing mark is then skipped. */
  #unwrapped = 0;
  #ahead: SqlToken | null = null;

  constructor(text: string, rules: TokenRules) {
    this.#text = text;
    this.#rules = rules;
  }

  peek(): SqlToken {
    this.#ahead ??= this.#read();
    return this.#ahead;
  }

  next(): SqlToken {
    const token = this.peek();
    this.#ahead = null;
    return token;
  }

  /** Consumes the next token when it is one of these keywords. */
  accept(...keywords: readonly string[]): boolean {
    const token = this.peek();
    if (token.kind !== 'word' || !keywords.includes(token.keyword)) return false;
    this.next();
    return true;
  }

  acceptMark(mark: string): boolean {
    const token = this.peek();
    if (token.kind !== 'mark' || token.text !== mark) return false;
    this.next();
    return true;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  #read(): SqlToken {
    const text = this.#text;
    for (;;) {
      this.#at += this.#match(blankPattern)?.length ?? 0;
      if (this.#at >= text.length) return endToken;
      if (!this.#skipComment()) break;
    }
    const word = this.#match(wordPattern);
    if (word !== null) {
      this.#at += word.length;
      return { kind: 'word', text: word, keyword: word.toUpperCase() };
    }
    const mark = text[this.#at] as string;
    if (mark === '`' || (mark === '"' && this.#rules.ansiQuotes)) return this.#quoted(mark, 'name', false);
    if (mark === "'" || mark === '"') return this.#quoted(mark, 'string', !this.#rules.noBackslashEscapes);
    this.#at += 1;
    return { kind: 'mark', text: mark, keyword: '' };
  }

  /** True when something was skipped that is no token. */
  #skipComment(): boolean {
    const text = this.#text;
    const open = this.#match(openComment);
    if (open !== null) {
      if (open.includes('!')) {
        this.#at += open.length;
        this.#unwrapped += 1;
      } else {
        this.#skipPast('*/');
      }
      return true;
    }
    if (this.#unwrapped > 0 && text.startsWith('*/', this.#at)) {
      this.#at += 2;
      this.#unwrapped -= 1;
      return true;
    }
    const dashes = text.startsWith('--', this.#at) && /^(?:[\s\0]|$)/.test(text.slice(this.#at + 2, this.#at + 3));
    if (!dashes && text[this.#at] !== '#') return false;
    this.#skipPast('\n');
    return true;
  }

  #skipPast(mark: string): void {
    const stop = this.#text.indexOf(mark, this.#at);
    this.#at = stop < 0 ? this.#text.length : stop + mark.length;
  }

  #quoted(quote: string, kind: 'name' | 'string', escapes: boolean): SqlToken {
    const text = this.#text;
    let content = '';
    let at = this.#at + 1;
    for (; at < text.length; at++) {
      const character = text[at] as string;
      if (escapes && character === '\\') {
        at += 1;
      } else if (character === quote) {
        if (text[at + 1] !== quote) break;
        at += 1;
        if (kind === 'name') content += quote;
      } else if (kind === 'name') {
        content += character;
      }
    }
    this.#at = at + 1;
    return { kind, text: content, keyword: '' };
  }
}
