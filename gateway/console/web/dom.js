// Elements without markup in strings: nothing that comes from the node is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const SVG_TAGS = new Set(["svg", "path", "circle", "line", "rect", "g", "text", "polyline", "title", "desc"]);

/** h("p.soft", {title: "…"}, "text", child, [more]) */
export function h(name, ...rest) {
  const [tag, ...classes] = name.split(".");
  const node = SVG_TAGS.has(tag) && tag !== "title" ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  const isPlain = rest.length && rest[0]?.constructor === Object;
  if (isPlain) attributes(node, rest.shift());
  append(node, rest);
  return node;
}

function attributes(node, values) {
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "value") node.value = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
}

function append(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child !== undefined && child !== null && child !== false) node.append(child);
  }
}

/** Replaces what a node holds. */
export function show(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** Said aloud by a screen reader and shown for a while. */
export function say(text) {
  const place = document.getElementById("avisos");
  const note = h("div", text);
  place.append(note);
  setTimeout(() => note.remove(), 6000);
}

export function save(name, parts, type) {
  const link = h("a", { href: URL.createObjectURL(new Blob(parts, { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** What went wrong, where, and what to do; red when the node lies. */
export function faultNotice(fault) {
  const isLie = fault.code === "DATA_LOSS";
  return h(`div.notice.${isLie || fault.code === "PERMISSION_DENIED" ? "bad" : "due"}`, { role: "alert" },
    h("h2", isLie ? "✖ El nodo muestra lo que no puede probar" : fault.title ?? "No se pudo"),
    h("p", fault.remedy),
    h("p.small", h("code", fault.reason), fault.path ? [" · ", fault.path] : null));
}

export function empty(title, text, action) {
  return h("div.sheet.empty",
    h("svg", { viewBox: "0 0 48 48", fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": true },
      h("rect", { x: 9, y: 7, width: 30, height: 34, rx: 3 }), h("path", { d: "M16 17h16M16 24h16M16 31h9" })),
    h("h2", title), h("p", text), action);
}
