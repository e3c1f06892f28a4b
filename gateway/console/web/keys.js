// Shortcuts: a letter after "g" goes to a page; pages add their own. Never while somebody writes.

import { h } from "./dom.js";
import { PAGES } from "./pages.js";
import { turn } from "./theme.js";

let own = [];
let isGoing = false;

/** Of the page that is shown: [{key, text, run}]. */
export const setKeys = (keys) => { own = keys; };

const writes = (target) => target.matches("input, textarea, select, [contenteditable]");

function onKey(event, go) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (writes(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const page = isGoing && PAGES.find((one) => one.key === event.key);
  const mine = own.find((one) => one.key === event.key);
  const wasGoing = isGoing;
  isGoing = event.key === "g" && !wasGoing;
  if (page) go(page.path);
  else if (event.key === "?") help();
  else if (event.key === "t" && !wasGoing) turn();
  else if (mine && !wasGoing) mine.run(event);
  else return;
  event.preventDefault();
}

export function begin(go) {
  document.addEventListener("keydown", (event) => onKey(event, go));
}

const line = (keys, text) => h("tr", h("th", { scope: "row" }, keys.map((key) => [h("kbd", key), " "])), h("td", text));

export function help() {
  const dialog = h("dialog", { "aria-labelledby": "ayuda" },
    h("h2", { id: "ayuda" }, "Atajos del teclado"),
    h("table", h("tbody",
      PAGES.map((page) => line(["g", page.key], `Ir a ${page.title}`)),
      own.map((one) => line([one.name ?? one.key], one.text)),
      line(["t"], "Cambiar entre claro y oscuro"),
      line(["Esc"], "Dejar de escribir; cerrar esto"),
      line(["?"], "Mostrar esta ayuda"))),
    h("form", { method: "dialog" }, h("button.main", "Cerrar")));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
