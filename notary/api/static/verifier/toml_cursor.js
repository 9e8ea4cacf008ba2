// A place in a TOML text.

import { FormatError } from "./bytes.js";

const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const BLANK = /[ \t]*/y;
const COMMENT = /#[^\n]*/y;

export function bad(why) {
  throw new FormatError(`not TOML: ${why}`);
}

export class Cursor {
  constructor(text) {
    if (CONTROLS.test(text)) bad("a control character");
    this.text = text;
    this.place = 0;
  }

  atEnd() {
    return this.place >= this.text.length;
  }

  at(literal) {
    return this.text.startsWith(literal, this.place);
  }

  take(literal) {
    const found = this.at(literal);
    if (found) this.place += literal.length;
    return found;
  }

  // The match of a sticky expression here, behind which the place then is; null where there is none.
  match(expression) {
    expression.lastIndex = this.place;
    const found = expression.exec(this.text);
    if (found) this.place += found[0].length;
    return found;
  }

  blank() {
    this.match(BLANK);
  }

  // White space, newlines and comments.
  blankLines() {
    do {
      this.blank();
      this.match(COMMENT);
    } while (this.take("\n"));
  }

  atLineEnd() {
    return this.atEnd() || this.at("\n") || this.at("#");
  }

  // Nothing more may stand on this line but a comment.
  endLine() {
    this.blank();
    this.match(COMMENT);
    if (!this.atEnd() && !this.take("\n")) bad("something behind a value on its line");
  }
}
