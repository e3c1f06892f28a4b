// The frame: who sits here, the menu, and which page the address names.

import { enter, shut } from "./enter.js";
import { faultNotice, h, show } from "./dom.js";
import { get } from "./api.js";
import { pageOf, pagesFor } from "./pages.js";
import * as keys from "./keys.js";
import * as theme from "./theme.js";
import { agency, person } from "./texts.js";

const side = document.getElementById("lateral");
const place = document.getElementById("contenido");
let shown = 0;

function menu(path) {
  return h("nav.nav", { "aria-label": "Páginas" }, h("ul", pagesFor(me).map((page) =>
    h("li", h("a", { href: page.path, "aria-current": page === pageOf(path) ? "page" : undefined },
      page.title, h("kbd", { "aria-hidden": true }, `g ${page.key}`))))));
}

function certificate(cert) {
  if (!cert) return null;
  const isSoon = cert.days_left < 30;
  return h("div", h("dt", "Certificado"), h("dd", person(cert.uri), " ",
    h(`span.tag.${isSoon ? "due" : "ok"}`, `${cert.days_left} días`)));
}

function who(me) {
  return h("section.who", { "aria-label": "Quién soy" },
    h("dl",
      h("div", h("dt", "Institución"), h("dd", agency(me.member))),
      certificate(me.reader),
      h("div", h("dt", "Nodo"), h("dd", me.node.split("/").at(-1), h("br"), h("span.soft", me.address)))),
    h("div.buttons",
      h("button.quiet", { onclick: theme.turn }, "Claro / oscuro"),
      h("button.quiet", { onclick: keys.help, "aria-label": "Atajos del teclado" }, "Atajos ", h("kbd", "?"))));
}

let me;
function frame(path) {
  show(side, h("a.brand", { href: "/" }, h("img", { src: "/icon.svg", alt: "" }), "Enlace"), menu(path), who(me));
}

export async function go(address, isBack = false) {
  const url = new URL(address, location.origin);
  const turn = ++shown;
  place.setAttribute("aria-busy", "true");
  if (!isBack) history.pushState(null, "", url.pathname + url.search);
  const page = pageOf(url.pathname) ?? pagesFor(me)[0];
  frame(page.path);
  keys.setKeys([]);
  document.title = `${page.title} · Enlace`;
  const module = await page.load();
  if (turn !== shown) return;
  const inside = h("div.page");
  show(place, inside);
  if (!isBack) scrollTo(0, 0);
  try {
    await module.show(inside, { path: url.pathname.slice(page.path.length), query: url.searchParams, me, go });
  } catch (fault) {
    if (!fault.reason) throw fault;
    if (fault.reason === "console.session") end(fault);
    else inside.append(faultNotice(fault));
  }
  if (turn === shown) place.removeAttribute("aria-busy");
}

function end(fault) {
  show(side);
  shut(place, fault);
}

function onLink(event) {
  const link = event.target.closest("a[href]");
  const isOurs = link && link.origin === location.origin && !link.hasAttribute("download") && pageOf(link.pathname || "/");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (!isOurs && link.getAttribute("href") !== "/") return;
  event.preventDefault();
  go(link.pathname + link.search);
  place.focus({ preventScroll: true });
}

async function begin() {
  theme.begin();
  if (!(await enter(place))) return;
  try {
    me = await get("/api/yo");
  } catch (fault) {
    end(fault);
    return;
  }
  document.addEventListener("click", onLink);
  keys.begin(go);
  addEventListener("popstate", () => go(location.pathname + location.search, true));
  await go(location.pathname + location.search, true);
}

begin();
