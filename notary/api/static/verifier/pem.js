// PEM (RFC 7468) of one certificate, in the strict form of §3 with its base64 in lines of any length.

import { FormatError, unbase64 } from "./bytes.js";
import { parseCertificate } from "./x509.js";

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

export function certificateOfPem(text) {
  const lines = text.split("\n").map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, "")).filter((line) => line !== "");
  if (lines[0] !== BEGIN || lines[lines.length - 1] !== END) throw new FormatError("not one certificate in PEM");
  return parseCertificate(unbase64(lines.slice(1, -1).join("")));
}
