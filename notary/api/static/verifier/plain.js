// Texts of others as they may be shown: signs that do not print, such as those of direction, are written as U+XXXX.

const UNSEEN = /[\p{C}\p{Z}]/gu;
const written = (sign) => (sign === " " ? sign : `U+${sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);

export const plain = (text) => String(text).replace(UNSEEN, written);
