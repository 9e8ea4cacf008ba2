// The second part of /verify: a package, proof or report goes to the service, and its word comes back.

import { byId, h, show, t } from "./page.js";
import { trouble } from "./record_view.js";
import { reportView } from "./report_view.js";
import { verifyThere } from "./service.js";

const form = byId("upload");
const input = byId("package");
const result = byId("upload-result");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = input.files;
  if (!file) {
    input.focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  result.replaceChildren(h("p", { class: "busy" }, t("working")));
  let content;
  try {
    content = reportView(await verifyThere(file));
  } catch (error) {
    content = trouble(error);
  }
  button.disabled = false;
  show(result, content);
});

form.querySelector("fieldset").disabled = false;
